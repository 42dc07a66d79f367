"""Statements whose answer nobody waits for: PostgreSQL gets them along with the next that somebody does, in one round
trip (https://www.postgresql.org/docs/current/libpq-pipeline-mode.html).

They are kept with the connection, in order, until another statement, or the commit, sends them. An error of one of them
is therefore met by whoever sends them; the statements behind it are not run.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, event

_POSTPONES, _WAITING = "postpones", "postponed"
_BEGIN = "BEGIN"


def let_postpone(engine: Engine) -> None:
    """Have connections of this engine keep what can wait, and send it before anything else that they do.

    The driver must begin no transactions by itself: BEGIN is kept as well.
    """

    @event.listens_for(engine, "connect")
    def prepare(_connection: Any, record: Any) -> None:
        record.info[_POSTPONES] = True

    @event.listens_for(engine, "before_cursor_execute")
    def send_first(connection: Connection, *_statement: Any) -> None:
        send(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        forget(connection)
        postpone(connection, _BEGIN)

    @event.listens_for(engine, "commit")
    def send_last(connection: Connection) -> None:
        if connection.info.get(_WAITING) == [(_BEGIN, ())]:
            forget(connection)
        else:
            postpone(connection, "COMMIT")
            send(connection)

    event.listen(engine, "rollback", forget)


def postpone(connection: Connection, text: str, *values: Any) -> None:
    """Run a statement some time before the commit, once for each set of values; at once where nothing is kept."""
    info: dict[Any, Any] = connection.info
    if _POSTPONES not in info:
        _run(connection.connection.cursor(), text, values)
        return
    info.setdefault(_WAITING, []).append((text, values))


def run(connection: Connection, text: str, *asked: Any) -> list[Any]:
    """Run what waits, and a statement for each set of values, in one round trip; the cursors of the latter."""
    proxy: Any = connection.connection
    cursors = [proxy.cursor() for _ in asked]
    waiting = connection.info.pop(_WAITING, ())
    if len(asked) == 1 and not waiting:
        cursors[0].execute(text, asked[0])
        return cursors
    with proxy.driver_connection.pipeline():
        _run_all(proxy, waiting)
        for cursor, values in zip(cursors, asked, strict=True):
            cursor.execute(text, values)
    return cursors


def send(connection: Connection) -> None:
    """Run what waits now."""
    waiting = connection.info.pop(_WAITING, ())
    if waiting:
        proxy: Any = connection.connection
        with proxy.driver_connection.pipeline():
            _run_all(proxy, waiting)


def forget(connection: Connection) -> None:
    """Never run what waits: its transaction has ended. A connection that has ended as well keeps nothing."""
    if not connection.invalidated:
        connection.info.pop(_WAITING, None)


def _run_all(proxy: Any, waiting: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> None:
    for text, values in waiting:
        _run(proxy.cursor(), text, values)


def _run(cursor: Any, text: str, values: Sequence[Mapping[str, Any]]) -> None:
    if len(values) > 1:
        cursor.executemany(text, values)
    else:
        cursor.execute(text, *values)
