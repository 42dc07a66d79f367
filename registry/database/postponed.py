"""Statements whose answer nobody waits for: PostgreSQL gets them along with the next that somebody does, in one round
trip (`registry.database.pipeline`).

They are kept with the connection, in order, until another statement, or the commit, sends them. An error of one of them
is therefore met by whoever sends them; the statements behind it are not run.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, event

_PIPELINE, _WAITING = "pipeline", "postponed"
_BEGIN = "BEGIN"
Values = Mapping[str, Any]
NO_VALUES: Values = {}


class Answer(Protocol):
    """What a statement has found; `registry.database.pipeline.Rows`, or a cursor of the driver."""

    rowcount: int

    def fetchone(self) -> Any:
        """The next row, or `None`."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        ...


class Sender(Protocol):
    """Sends the statements of one connection."""

    def run(self, commands: Sequence[tuple[str, Values]]) -> Sequence[Answer]:
        """Run them in their order, in one round trip."""
        ...


def let_postpone(engine: Engine, sender: Callable[[Any], Sender]) -> None:
    """Have connections of this engine keep what can wait, and send it before anything else that they do.

    The driver must begin no transactions by itself: BEGIN is kept as well. `sender`: makes one for a connection of the
    driver.
    """

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        record.info[_PIPELINE] = sender(connection)

    @event.listens_for(engine, "before_cursor_execute")
    def send_first(connection: Connection, *_statement: Any) -> None:
        send(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        forget(connection)
        postpone(connection, _BEGIN)

    @event.listens_for(engine, "commit")
    def send_last(connection: Connection) -> None:
        if connection.info.get(_WAITING) == [(_BEGIN, NO_VALUES)]:
            forget(connection)
        else:
            postpone(connection, "COMMIT")
            send(connection)

    event.listen(engine, "rollback", forget)


def postpone(connection: Connection, text: str, *values: Values) -> None:
    """Run a statement some time before the commit, once for each set of values; at once where nothing is kept."""
    info: dict[Any, Any] = connection.info
    each = values or (NO_VALUES,)
    if _PIPELINE in info:
        info.setdefault(_WAITING, []).extend((text, some) for some in each)
    else:
        cursor = connection.connection.cursor()
        for some in each:
            cursor.execute(text, some)


def run(connection: Connection, text: str, *asked: Values) -> Sequence[Any]:
    """Run what waits, and a statement for each set of values, in one round trip; the answers to the latter."""
    sender: Sender | None = connection.info.get(_PIPELINE)
    if sender is not None:
        waiting = connection.info.pop(_WAITING, [])
        return sender.run([*waiting, *((text, some) for some in asked)])[len(waiting) :]
    proxy: Any = connection.connection
    cursors = [proxy.cursor() for _ in asked]
    if len(asked) == 1:
        cursors[0].execute(text, asked[0])
        return cursors
    with proxy.driver_connection.pipeline():
        for cursor, values in zip(cursors, asked, strict=True):
            cursor.execute(text, values)
    return cursors


def send(connection: Connection) -> None:
    """Run what waits now."""
    waiting = connection.info.pop(_WAITING, ())
    if waiting:
        sender: Sender = connection.info[_PIPELINE]
        sender.run(waiting)


def forget(connection: Connection) -> None:
    """Never run what waits: its transaction has ended. A connection that has ended as well keeps nothing."""
    if not connection.invalidated:
        connection.info.pop(_WAITING, None)
