"""The states of verdicts; their texts are made of the inspected manifest when somebody reads them."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, exists, func, select

from policy.results.checksums import RowDamaged, require_sum, sum_of
from policy.results.counters import SUPERSEDED, count, counted
from policy.results.tables import subjects, verdicts
from policy.state import State
from registry.database.dialects import insert, or_update
from registry.database.statement import Statement

_STATES = frozenset(state.value for state in State)
_SAVE = Statement(or_update(insert(verdicts), ("policy", "manifest")), ("policy", "manifest", "state", "sum"))
_FIND = Statement(
    select(verdicts.c.state, verdicts.c.sum).where(
        verdicts.c.policy == bindparam("policy"), verdicts.c.manifest == bindparam("named")
    )
)
_JUDGED = select(verdicts.c.manifest).where(
    verdicts.c.policy == bindparam("policy"), verdicts.c.manifest.in_(bindparam("named", expanding=True))
)
_WITHOUT_MEMBERS = select(verdicts.c.manifest, verdicts.c.state, verdicts.c.sum).where(
    verdicts.c.policy == bindparam("policy"),
    verdicts.c.manifest.in_(bindparam("named", expanding=True)),
    ~exists().where(subjects.c.manifest == verdicts.c.manifest, subjects.c.kind == "index"),
)
_ALL = select(verdicts.c.manifest, verdicts.c.state, verdicts.c.sum).where(verdicts.c.policy == bindparam("policy"))
_TOTALS = Statement(
    select(verdicts.c.state, func.count()).where(verdicts.c.policy == bindparam("policy")).group_by(verdicts.c.state)
)
_LOCK = delete(verdicts).where(verdicts.c.policy == "")
_FORGET = delete(verdicts).where(verdicts.c.manifest == bindparam("named"))
_FORGET_INDEXES = delete(verdicts).where(
    verdicts.c.manifest.in_(select(subjects.c.manifest).where(subjects.c.kind == "index"))
)
_FORGET_POLICY = delete(verdicts).where(verdicts.c.policy == bindparam("gone"))


def save(connection: Connection, policy: str, states: Iterable[tuple[str, State]]) -> None:
    """Save the states that a policy, named by its digest, gave to manifests."""
    save_each(connection, [(policy, manifest, state) for manifest, state in states])


def save_each(connection: Connection, states: Iterable[tuple[str, str, State]]) -> None:
    """Save states, each with the digests of its policy and manifest."""
    rows = [
        {"policy": policy, "manifest": manifest, "state": state.value, "sum": sum_of(policy, manifest, state.value)}
        for policy, manifest, state in states
    ]
    _SAVE.change_each(connection, rows)


def save_unless(connection: Connection, number: int, policy: str, states: Iterable[tuple[str, State]]) -> bool:
    """Save states that were made when `superseded` was `number`; nothing is saved when it has risen since."""
    # A write first: until this transaction ends, no other process changes the number.
    connection.execute(_LOCK)
    if superseded(connection) != number:
        return False
    save(connection, policy, states)
    return True


def find(connection: Connection, policy: str, manifest: str) -> State | None:
    """The state a policy gave to a manifest."""
    row = _FIND.first(connection, {"policy": policy, "named": manifest})
    return None if row is None else _state(policy, manifest, *row)


def judged(connection: Connection, policy: str, manifests: Sequence[str]) -> set[str]:
    """Those of the manifests that a policy has judged."""
    return set(connection.execute(_JUDGED, {"policy": policy, "named": list(manifests)}).scalars())


def states_without_members(connection: Connection, policy: str, manifests: Sequence[str]) -> Mapping[str, State]:
    """The states a policy gave to those of some manifests that are no indexes: no other manifest's state is in them."""
    found = connection.execute(_WITHOUT_MEMBERS, {"policy": policy, "named": list(manifests)})
    return {manifest: _state(policy, manifest, state, stored_sum) for manifest, state, stored_sum in found}


def all_states(connection: Connection, policy: str) -> Mapping[str, State]:
    """All states a policy gave."""
    return {
        manifest: _state(policy, manifest, state, stored_sum)
        for manifest, state, stored_sum in connection.execute(_ALL, {"policy": policy})
    }


def _state(policy: str, manifest: str, state: str, stored_sum: int) -> State:
    require_sum(stored_sum, policy, manifest, state)
    return State(state)


def totals(connection: Connection, policy: str) -> Mapping[State, int]:
    """How many manifests a policy put in each state; this walks one index."""
    found = dict(_TOTALS.rows(connection, {"policy": policy}))
    if not found.keys() <= _STATES:
        raise RowDamaged(f"verdicts are of states that do not exist: {', '.join(found)}")
    return {State(state): number for state, number in found.items()}


def forget(connection: Connection, manifest: str) -> None:
    """Delete the verdicts on a manifest and on all indexes, any of which may contain it; they are cheap to make."""
    connection.execute(_FORGET, {"named": manifest})
    connection.execute(_FORGET_INDEXES)
    count(connection, SUPERSEDED, 1)


def superseded(connection: Connection) -> int:
    """A number that rises whenever any process drops the verdicts on a manifest because its results changed."""
    return counted(connection, SUPERSEDED)


def forget_policy(connection: Connection, policy: str) -> None:
    """Delete the verdicts of a policy that is no longer in force."""
    connection.execute(_FORGET_POLICY, {"gone": policy})
