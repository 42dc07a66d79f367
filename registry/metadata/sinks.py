"""Sinks: how far each has come in the events, and what became of its last tries."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from registry.metadata import events
from registry.metadata.tables import event_sinks


@dataclass(frozen=True, slots=True)
class SinkState:
    """One sink; times are seconds since the epoch.

    Attributes:
        name: of the settings.
        cursor: id of the last event that is done with.
        failures: tries in a row that came to nothing; `failing_since` is the first of them.
        tried, delivered: the last try, and the last success.
        given_up: events that were given up.
        error: of the last try, or empty.
    """

    name: str
    cursor: int
    failures: int = 0
    failing_since: float | None = None
    tried: float | None = None
    delivered: float | None = None
    given_up: int = 0
    error: str = ""


def find(connection: Connection, name: str) -> SinkState | None:
    """The state of a sink; `None` when it has never been told anything."""
    row = connection.execute(select(event_sinks).where(event_sinks.c.name == name)).first()
    return None if row is None else SinkState(*row)


def every(connection: Connection) -> list[SinkState]:
    """All of them, by name."""
    return [SinkState(*row) for row in connection.execute(select(event_sinks).order_by(event_sinks.c.name))]


def begin(connection: Connection, name: str) -> SinkState:
    """The state of a sink; a new one is told of what happens from now on."""
    found = find(connection, name)
    if found is not None:
        return found
    state = SinkState(name, events.ends(connection)[1])
    connection.execute(insert(event_sinks), _values(state))
    return state


def save(connection: Connection, known: int, state: SinkState) -> SinkState | None:
    """Write a state whose cursor was `known` before; returns what counts: another, when it was moved meanwhile.

    `None`: the sink was forgotten meanwhile, and stays so.
    """
    here = (event_sinks.c.name == state.name) & (event_sinks.c.cursor == known)
    if connection.execute(update(event_sinks).where(here).values(**_values(state))).rowcount:
        return state
    return find(connection, state.name)


def move(connection: Connection, name: str, cursor: int) -> bool:
    """Have a sink go on from another event; `False` when there is no such sink."""
    changed = update(event_sinks).where(event_sinks.c.name == name)
    return connection.execute(changed.values(cursor=cursor, failures=0, failing_since=None, error="")).rowcount > 0


def _values(state: SinkState) -> dict[str, object]:
    return {name: getattr(state, name) for name in SinkState.__slots__}
