"""The judge: verdicts and states of manifests under a policy, from memory, policy.db, or a new inspection."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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
    """The parameters of one assessment, with its deadline.

    Attributes:
        members: what was assessed below an index, by digest and the levels that may be below: it may be named again.
    """

    repository: RepositoryName
    policy: Policy
    deadline: float
    members: dict[tuple[str, int], "_Assessed"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Assessed:
    """The assessment of one manifest.

    Attributes:
        verdict: `None` while it is pending, and for a manifest that cannot be read.
        final: whether the verdict may be stored; not while a child or layer is missing.
        pending: whether it, or a part of it, is still being inspected.
    """

    verdict: Verdict | None
    final: bool = False
    pending: bool = False


_PENDING = _Assessed(None, pending=True)
_UNREADABLE = _Assessed(None)


class Judge:
    """Judges manifests. States are stored; verdicts are made from facts when they are read.

    Attributes:
        log: logs and counts its verdicts.
    """

    def __init__(
        self,
        inspector: Inspector,
        results: ResultStore,
        cache: int,
        mode_of: Callable[[str], str] = lambda _repository: "",
    ) -> None:
        """`cache`: how many states to cache; `mode_of`: the mode of a repository, for what is counted."""
        self._inspector = inspector
        self._results = results
        self._states: SizedCache[tuple[str, str], State] = SizedCache(cache)
        self._judged_before: SizedCache[tuple[str, Kind, bytes], Verdict] = SizedCache(_JUDGED)
        self.log = VerdictLog(mode_of)

    def resize(self, cache: int) -> None:
        """Change the size of the cache."""
        self._states.resize(cache)

    async def state(self, repository: RepositoryName, digest: Digest, policy: Policy, wait: float) -> State:
        """The state; `pending` when inspection takes longer than `wait` seconds."""
        recalled = self.known_state(digest, policy)
        if recalled is not None:
            return recalled
        verdict = await self.verdict(repository, digest, policy, wait)
        return State.PENDING if verdict is None else verdict.state

    def known_state(self, digest: str, policy: Policy, *, remember: bool = True) -> State | None:
        """The state, if it was judged before. `remember`: as the next caller may ask for it too."""
        state = self._states.get((policy.digest, digest))
        if state is None:
            state = self._results.read(verdicts.find, policy.digest, digest)
            if state is not None and remember:
                self._remember(digest, policy, state)
        return state

    def states_without_members(self, digests: Sequence[str], policy: Policy) -> Mapping[str, State]:
        """The states on record of those of many manifests that are no indexes; nothing is remembered."""
        return self._results.read(verdicts.states_without_members, policy.digest, digests)

    async def verdict(
        self,
        repository: RepositoryName,
        digest: Digest,
        policy: Policy,
        wait: float,
        manifest: Manifest | None = None,
    ) -> Verdict | None:
        """The whole verdict; `None` while it is pending.

        Args:
            repository: where the manifest is, or is about to be.
            digest: its name.
            policy: to judge by.
            wait: seconds to wait for layers that are being inspected.
            manifest: the manifest when it is being pushed.
        """
        look = _Look(repository, policy, time.monotonic() + wait)
        assessed = await self._assess(look, digest, NESTING, manifest)
        if assessed is _UNREADABLE:
            problem = Problem("unreadable-manifest", f"manifest {digest} cannot be read from this registry")
            return judge_unreadable(digest, problem, policy)
        if assessed.verdict is not None:
            self.log.log(repository, assessed.verdict)
            if assessed.final:
                self._keep(digest, policy, assessed.verdict.state)
        return assessed.verdict

    def forget(self, digest: str) -> None:
        """Drop the states of a manifest that was inspected again, and of all indexes, which may contain it."""
        # Wait for it: until then policy.db returns the old state. This is rare and quick.
        self._results.write(verdicts.forget, digest)
        self._states.clear()

    def forget_all(self) -> None:
        """Drop what memory holds, because another process, or cleaning, changed policy.db."""
        self._states.clear()

    async def _assess(
        self, look: "_Look", digest: Digest, nesting: int, manifest: Manifest | None = None
    ) -> "_Assessed":
        """Inspect and judge a manifest, and those of an index, at most `nesting` indexes deep."""
        wait = max(0.0, look.deadline - time.monotonic())
        subject = await self._inspector.subject(look.repository, digest, wait=wait, manifest=manifest)
        if subject is None:
            return _PENDING if self._inspector.is_looking(digest) else _UNREADABLE
        if subject.kind is not Kind.INDEX:
            return _Assessed(self._verdict_on(subject, look.policy), subject.final)
        if nesting == 0:
            problem = Problem("nested-index", f"indexes are nested deeper than {NESTING} levels")
            return _Assessed(judge_unreadable(subject.manifest, problem, look.policy), final=True)
        return await self._assess_index(look, subject, nesting)

    async def _assess_index(self, look: "_Look", index: InspectedManifest, nesting: int) -> "_Assessed":
        """Assess one child after another; a missing one is left out, a pending one ends the assessment."""
        verdicts: dict[str, Verdict] = {}
        final = True
        counting = [entry.digest for entry in children_of(index) if not entry.why_not(look.policy)]
        for digest in dict.fromkeys(counting):
            child = look.members.get((digest, nesting - 1))
            if child is None:
                child = look.members[digest, nesting - 1] = await self._assess(look, Digest(digest), nesting - 1)
            if child.pending:
                return _PENDING
            final = final and child.final
            if child.verdict is not None:
                verdicts[digest] = child.verdict
        verdict = verdict_on_index(index, verdicts, look.policy)
        # An index's blobs may be pushed as manifests later, which would matter beside images.
        return _Assessed(verdict, final or verdict.state is State.NOT_APPLICABLE)

    def _verdict_on(self, subject: InspectedManifest, policy: Policy) -> Verdict:
        """The verdict, cached by facts and policy: they alone decide it, not the manifest."""
        key = (policy.digest, subject.kind, subject.body)
        verdict = self._judged_before.get(key)
        if verdict is None:
            verdict = verdict_on(subject, policy)
            self._judged_before.put(key, verdict)
        return verdict.named(subject.manifest)

    def _keep(self, digest: str, policy: Policy, state: State) -> None:
        if self._states.get((policy.digest, digest)) is not state:
            self._remember(digest, policy, state)
            self._results.gather(verdicts.save_each, (policy.digest, digest, state))

    def _remember(self, digest: str, policy: Policy, state: State) -> None:
        self._states.put((policy.digest, digest), state)
