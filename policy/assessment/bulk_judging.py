"""Bulk judging: everything stored, from facts alone. No layer is opened, and equal images are judged once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from policy.assessment.inspector import CURRENT
from policy.assessment.manifest_verdicts import NESTING, ChildEntry, children_of, state_of_essence
from policy.assessment.verdict import index_state
from policy.definition.policy import Policy
from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.manifests import InspectedManifest, Kind
from policy.results.store import ResultStore
from policy.state import State
from registry.content.progress import Tell, silence

_BATCH = 20_000
_ROUNDS = 3
_TOLD = 1000


@dataclass(slots=True)
class Rejudged:
    """The states by a policy of all manifests in policy.db.

    Attributes:
        states: by manifest digest.
        unsettled: those whose state may still change under this policy: a layer or manifest is missing.
        superseded: the counter of manifests inspected again, at the time of reading.
        nested: states of indexes in others, by digest and the levels that may be below.
    """

    superseded: int = 0
    states: dict[str, State] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)
    nested: dict[tuple[str, int], State] = field(default_factory=dict)


def judge_all(results: ResultStore, policy: Policy, tell: Tell = silence) -> Rejudged:
    """Judge every manifest of policy.db and store the states; safe beside processes that inspect images.

    `tell` is told how far it has come.

    While images are inspected again all the time, the last states are not stored: they are judged on demand.
    """
    judged = rejudge(results, policy, tell)
    for _ in range(_ROUNDS):
        if store(results, policy, judged):
            break
        judged = rejudge(results, policy, tell)
    return judged


def rejudge(results: ResultStore, policy: Policy, tell: Tell = silence) -> Rejudged:
    """Judge every manifest of policy.db; writes nothing. `tell` is told how far it has come."""
    results.settle()
    judged = Rejudged(superseded=results.read(verdicts.superseded))
    states: dict[str, State] = {}
    known = results.read(inspected_manifests.essences, CURRENT)
    for number, (manifest, (essence, final)) in enumerate(known.items()):
        if number % _TOLD == 0:
            tell("manifests", number, len(known))
        if essence not in states:
            kind = Kind.IMAGE if essence else Kind.ARTIFACT
            states[essence] = state_of_essence(kind, essence, policy)
        judged.states[manifest] = states[essence]
        if not final:
            judged.unsettled.add(manifest)
    indexes = {item.manifest: item for item in results.read(inspected_manifests.indexes)}
    for index in indexes.values():
        _judge_index(index, indexes, policy, judged, NESTING)
    return judged


def store(results: ResultStore, policy: Policy, judged: Rejudged) -> bool:
    """Store the states; those of other policies are not changed.

    Returns:
        Whether all were stored; `False` when a manifest was inspected again since, so that a state may be stale.
    """
    settled = [item for item in judged.states.items() if item[0] not in judged.unsettled]
    parts = (settled[at : at + _BATCH] for at in range(0, len(settled), _BATCH))
    # A new inspection is stored first and drops verdicts second: if it is later than this, it drops these states.
    return all(results.write(verdicts.save_unless, judged.superseded, policy.digest, part) for part in parts)


def _judge_index(
    index: InspectedManifest, indexes: Mapping[str, InspectedManifest], policy: Policy, judged: Rejudged, nesting: int
) -> State:
    if nesting == 0:
        return State.INCONCLUSIVE
    states: list[tuple[State, bool]] = []
    settled = True
    for entry in children_of(index):
        if entry.why_not(policy):
            continue
        child = indexes.get(entry.digest)
        if child is not None:
            key = (entry.digest, nesting - 1)
            if key not in judged.nested:
                judged.nested[key] = _judge_index(child, indexes, policy, judged, nesting - 1)
            of_child = judged.nested[key]
        else:
            of_child = judged.states.get(entry.digest, _of_unknown(entry, policy))
        states.append((of_child, bool(entry.platform)))
        settled = settled and entry.digest in judged.states and entry.digest not in judged.unsettled
    state = index_state(states)
    settled = settled or state is State.NOT_APPLICABLE
    if nesting == NESTING:
        judged.states[index.manifest] = state
        if not settled:
            judged.unsettled.add(index.manifest)
    return state


def _of_unknown(entry: ChildEntry, policy: Policy) -> State:
    return State.INCONCLUSIVE if entry.blob_type is None else State(policy.document.artifacts)
