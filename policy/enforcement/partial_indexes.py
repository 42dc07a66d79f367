"""A partial index is one of an upstream, of which some images are here and others come when they are asked for.

To be handed out, such an index is judged by the images that are here: whoever picks another one asks for it, and meets
the gate then. For a deployment all images count, as in any index.
"""

from collections.abc import Sequence
from dataclasses import replace

from policy.assessment.judge import Judge
from policy.assessment.verdict import Child, Verdict, judge_index
from policy.decision import AccessPoint
from policy.enforcement.access_request import AccessRequest
from policy.state import State
from registry.auth.principals import MIRROR_ID
from registry.metadata import manifests
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest

_NOT_HERE = "it was not fetched from its upstream yet"


class PartialIndexes:
    """Judges what is here of an index."""

    def __init__(self, judge: Judge, metadata: MetadataStore) -> None:
        self._judge = judge
        self._metadata = metadata

    async def is_partial(self, request: AccessRequest, verdict: Verdict) -> bool:
        """Whether the verdict is about an index of an upstream that lacks images, and a part of it may do."""
        if (
            not verdict.children
            or request.point is AccessPoint.REFERENCE
            or not await self._lacks(request, verdict.children, set())
        ):
            return False
        return request.mirrored or await self._is_mirrored(request)

    async def verdict(
        self, request: AccessRequest, whole: Verdict, wait: float, known: dict[str, Verdict] | None = None
    ) -> Verdict | None:
        """The verdict by the images that are here; `None` while one is pending. None here: that of the whole.

        An index in it is judged in the same way, once; `known` has the verdicts by digest.
        """
        known = {} if known is None else known
        absent = await self._absent(request, whole.children)
        members: list[tuple[Child, Verdict | None]] = []
        for child in whole.children:
            if not child.state or child.digest in absent:
                why = child.why if not child.state else _NOT_HERE
                members.append((replace(child, state="", why=why), None))
                continue
            verdict = known.get(child.digest) or await self._of_child(request, Digest(child.digest), wait, known)
            if verdict is None:
                return None
            known[child.digest] = verdict
            members.append((replace(child, state=verdict.state.value), verdict))
        if all(verdict is None for _, verdict in members):
            return whole
        return judge_index(request.digest, members, request.bound.policy)

    async def _of_child(
        self, request: AccessRequest, digest: Digest, wait: float, known: dict[str, Verdict]
    ) -> Verdict | None:
        verdict = await self._judge.verdict(request.repository, digest, request.bound.policy, wait)
        if verdict is None or not verdict.children:
            return verdict
        return await self.verdict(replace(request, digest=digest), verdict, wait, known)

    async def _lacks(self, request: AccessRequest, children: Sequence[Child], seen: set[str]) -> bool:
        """Whether an image of an index is not here, or one of an index in it that is not among `seen`."""
        if await self._absent(request, children):
            return True
        # Only what could not be judged wholly may lack something further down.
        for child in children:
            if child.state == State.INCONCLUSIVE and child.digest not in seen:
                seen.add(child.digest)
                verdict = await self._judge.verdict(request.repository, Digest(child.digest), request.bound.policy, 0.0)
                if verdict is not None and verdict.children and await self._lacks(request, verdict.children, seen):
                    return True
        return False

    async def _absent(self, request: AccessRequest, children: Sequence[Child]) -> set[Digest]:
        judged = [Digest(child.digest) for child in children if child.state]
        return await self._metadata.read(manifests.absent, request.repository, judged)

    async def _is_mirrored(self, request: AccessRequest) -> bool:
        pusher = await self._metadata.read(manifests.pusher_of, request.repository, request.digest)
        return pusher == MIRROR_ID
