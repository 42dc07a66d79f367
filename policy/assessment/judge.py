"""The judge: verdicts and states of manifests under a policy, from memory, from policy.db, or by looking now."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from policy.assessment.inspector import Inspector
from policy.assessment.manifest_verdicts import NESTING, children_of, verdict_on, verdict_on_index
from policy.assessment.verdict import Verdict, judge_unreadable
from policy.assessment.verdict_log import VerdictLog
from policy.definition.policy import Policy
from policy.inspection.facts import Problem
from policy.results import verdicts
from policy.results.manifests import InspectedManifest, Kind
from policy.results.store import ResultStore
from policy.state import State
from registry.caches import SizedCache
from registry.oci.digest import Digest
from registry.oci.manifest import Manifest
from registry.oci.names import RepositoryName

_JUDGED = 200


@dataclass(frozen=True, slots=True)
class _Look:
    """What one judgement is about, and until when it may wait."""

    repository: RepositoryName
    policy: Policy
    deadline: float


class Judge:
    """What policies say. States are kept; the text of a verdict is made from facts whenever somebody reads it."""

    def __init__(self, inspector: Inspector, results: ResultStore, cache: int) -> None:
        """`cache`: how many states to keep in memory."""
        self._inspector = inspector
        self._results = results
        self._states: SizedCache[tuple[str, str], State] = SizedCache(cache)
        self._judged_before: SizedCache[tuple[str, Kind, bytes], Verdict] = SizedCache(_JUDGED)
        self._log = VerdictLog()

    def follow(self, cache: int) -> None:
        """Keep so many states in memory from now on."""
        self._states.resize(cache)

    async def state(self, repository: RepositoryName, digest: Digest, policy: Policy, wait: float) -> State:
        """The state; `pending` when looking takes longer than `wait` seconds."""
        known = self.known_state(digest, policy)
        if known is not None:
            return known
        verdict = await self.verdict(repository, digest, policy, wait)
        return State.PENDING if verdict is None else verdict.state

    def known_state(self, digest: str, policy: Policy) -> State | None:
        """The state when it was judged before."""
        known = self._states.get((policy.digest, digest))
        if known is None:
            known = self._results.read(verdicts.find, policy.digest, digest)
            if known is not None:
                self._remember(digest, policy, known)
        return known

    async def verdict(
        self,
        repository: RepositoryName,
        digest: Digest,
        policy: Policy,
        wait: float,
        manifest: Manifest | None = None,
    ) -> Verdict | None:
        """The whole verdict, judged now; `None` while it is pending.

        Args:
            repository: where the manifest is, or is about to be.
            digest: its name.
            policy: what judges it.
            wait: seconds to wait for layers that are being read.
            manifest: the manifest when it is being pushed.
        """
        deadline = time.monotonic() + wait
        subject = await self._inspector.subject(repository, digest, wait=wait, manifest=manifest)
        if subject is None:
            problem = Problem("unreadable-manifest", f"manifest {digest} cannot be read from this registry")
            return None if self._inspector.is_looking(digest) else judge_unreadable(digest, problem, policy)
        verdict, final = await self._judged(_Look(repository, policy, deadline), subject, NESTING)
        if verdict is not None:
            self._log.tell(repository, verdict)
            if final:
                self._keep(digest, policy, verdict.state)
        return verdict

    def forget(self, digest: str) -> None:
        """A manifest was seen anew: drop what was said of it, and of all indexes, which may hold it."""
        # Waited for: until it is done, policy.db would give the old state back. It is rare, and takes a moment.
        self._results.write(verdicts.forget, digest)
        self._states.clear()

    def forget_all(self) -> None:
        """Drop what memory holds, because another process changed policy.db."""
        self._states.clear()

    async def _judged(self, look: "_Look", subject: InspectedManifest, nesting: int) -> tuple[Verdict | None, bool]:
        """The verdict and whether it may be kept; a missing child or layer may still come."""
        if subject.kind is not Kind.INDEX:
            return self._verdict_on(subject, look.policy), subject.final
        if nesting == 0:
            problem = Problem("nested-index", f"indexes are nested deeper than {NESTING} levels")
            return judge_unreadable(subject.manifest, problem, look.policy), True
        counting = [entry.digest for entry in children_of(subject) if not entry.why_not(look.policy)]
        found, final = await self._children(look, counting, nesting)
        if found is None:
            return None, False
        verdict = verdict_on_index(subject, found, look.policy)
        # Blobs that an index names may be pushed as manifests later: beside images that would matter.
        return verdict, final or verdict.state is State.NOT_APPLICABLE

    async def _children(
        self, look: "_Look", digests: Sequence[str], nesting: int
    ) -> tuple[dict[str, Verdict] | None, bool]:
        """The verdicts of an index's children, `None` while one is pending; a missing one is left out."""
        found: dict[str, Verdict] = {}
        final = True
        for digest in dict.fromkeys(digests):
            wait = max(0.0, look.deadline - time.monotonic())
            subject = await self._inspector.subject(look.repository, Digest(digest), wait=wait)
            if subject is None:
                if self._inspector.is_looking(digest):
                    return None, False
                final = False
                continue
            verdict, sure = await self._judged(look, subject, nesting - 1)
            if verdict is None:
                return None, False
            final = final and sure
            found[digest] = verdict
        return found, final

    def _verdict_on(self, subject: InspectedManifest, policy: Policy) -> Verdict:
        """The same facts and the same policy make the same verdict, whichever manifest they were found in."""
        key = (policy.digest, subject.kind, subject.body)
        known = self._judged_before.get(key)
        if known is None:
            known = verdict_on(subject, policy)
            self._judged_before.put(key, known)
        return known.named(subject.manifest)

    def _keep(self, digest: str, policy: Policy, state: State) -> None:
        if self._states.get((policy.digest, digest)) is not state:
            self._remember(digest, policy, state)
            self._results.gather(verdicts.keep_each, (policy.digest, digest, state))

    def _remember(self, digest: str, policy: Policy, state: State) -> None:
        self._states.put((policy.digest, digest), state)
