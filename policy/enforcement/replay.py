"""Replay: what would change under a policy, from the facts of everything stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policy.assessment.bulk_judging import Rejudged, rejudge
from policy.assessment.inspector import CURRENT
from policy.assessment.manifest_verdicts import verdict_on
from policy.definition.policy import Policy
from policy.enforcement.assignments import Assignments
from policy.results import manifests as inspected_manifests
from policy.results.manifests import Kind
from policy.results.store import ResultStore
from policy.state import State
from registry.content.progress import Tell, silence
from registry.metadata.reachability import StoredName
from registry.oci.patterns import covers


@dataclass(frozen=True, slots=True)
class Flip:
    """One manifest of one repository whose state would change."""

    repository: str
    digest: str
    tags: tuple[str, ...]
    before: State
    after: State
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """What would change.

    Attributes:
        looked_at: manifests in the repositories of the pattern.
        unknown: those without results in policy.db; they would be judged on demand.
        after: how many would be in each state.
        flips: those whose state would change, by repository.
    """

    looked_at: int
    unknown: int
    after: Mapping[State, int]
    flips: tuple[Flip, ...]


def replay(  # noqa: PLR0913, PLR0917
    results: ResultStore,
    stored: Iterable[StoredName],
    bindings: Assignments,
    policy: Policy,
    repositories: str,
    tell: Tell = silence,
) -> Replay:
    """Compare a policy with what is in force. Nothing is written.

    Args:
        results: facts of what is stored.
        stored: every manifest of every repository with its tags.
        bindings: the assignments in force.
        policy: the policy to try.
        repositories: the pattern for it.
        tell: told how far it has come.
    """
    new = rejudge(results, policy, tell)
    old: dict[str, Rejudged] = {}
    after = dict.fromkeys((State.CLEARED, State.REFUSED, State.INCONCLUSIVE, State.NOT_APPLICABLE), 0)
    flips, looked_at, unknown = [], 0, 0
    for item in stored:
        if not covers(repositories, item.repository):
            continue
        looked_at += 1
        state = new.states.get(item.digest)
        if state is None:
            unknown += 1
            continue
        after[state] += 1
        current = bindings.of(item.repository).policy
        if current.digest not in old:
            old[current.digest] = rejudge(results, current)
        before = old[current.digest].states[item.digest]
        if before is not state:
            flips.append(Flip(item.repository, item.digest, item.tags, before, state, ()))
    explained = tuple(_explained(results, flip, policy) for flip in sorted(flips, key=_place))
    return Replay(looked_at, unknown, after, explained)


def _place(flip: Flip) -> tuple[str, str]:
    return flip.repository, flip.digest


def _explained(results: ResultStore, flip: Flip, policy: Policy) -> Flip:
    subject = results.read(inspected_manifests.find, flip.digest, CURRENT)
    if subject is None or subject.kind is Kind.INDEX:
        return flip
    reasons = verdict_on(subject, policy).reasons
    return Flip(flip.repository, flip.digest, flip.tags, flip.before, flip.after, reasons)
