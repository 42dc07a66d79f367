"""Statements of one connection to PostgreSQL, sent together and answered together.

What the driver's cursors do around one statement costs several times what the statement does to this process, and a
push makes a dozen. So this speaks to libpq itself, in its pipeline mode, with statements that are prepared once
(https://www.postgresql.org/docs/current/libpq-pipeline-mode.html, https://www.psycopg.org/psycopg3/docs/api/pq.html).
"""

import itertools
import re
import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, ExecStatus

Command = tuple[str, Mapping[str, Any]]
"""A text with `%(name)s` for parameters, and their values."""
_Sent = tuple[str, list[bytes | None], list[int]]
"""A text, the values of its parameters, and whether each is a text or bytes."""
_PARAMETER = re.compile(r"%\((\w+)\)s|%%")
_TEXT, _BINARY = 0, 1


class Rows:
    """The answer to one statement, with those methods of a cursor that are needed.

    Attributes:
        rowcount: rows that it has changed, or found.
    """

    def __init__(self, result: Any) -> None:
        self._result = result
        self._next = 0
        self._loaders = [_loader(result.ftype(column)) for column in range(result.nfields)]
        self.rowcount: int = result.command_tuples or 0

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or `None`."""
        return next(self, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows that were not taken yet."""
        return list(self)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self

    def __next__(self) -> tuple[Any, ...]:
        row = self._next
        if row >= self._result.ntuples:
            raise StopIteration
        self._next += 1
        value = self._result.get_value
        return tuple(
            None if (found := value(row, column)) is None else load(found) for column, load in enumerate(self._loaders)
        )

    def close(self) -> None:
        """Nothing is held."""


class Pipeline:
    """Of one connection, in autocommit mode; whatever else uses it does so between two calls.

    Args:
        connection: open.
    """

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._prepared: dict[str, bytes] = {}
        self._names = itertools.count()
        connection.prepare_threshold = None  # behind a ROLLBACK or DROP its cursors forget all prepared statements

    def run(self, commands: Sequence[Command]) -> list[Rows]:
        """Run statements in their order, in one round trip; those behind one that fails are not run.

        Raises:
            psycopg.Error, UnicodeEncodeError: of the first that fails; it may be one that cannot even be sent.
        """
        try:
            return self._run(commands)
        except BaseException:
            if self._libpq.status == ConnStatus.BAD or self._libpq.pipeline_status:
                self._connection.close()  # nobody knows what is still to come
            raise

    def _run(self, commands: Sequence[Command]) -> list[Rows]:
        sent, refused = _ready(commands)
        self._libpq.enter_pipeline_mode()
        kinds = [kind for text, values, formats in sent for kind in self._send(text, values, formats)]
        self._libpq.pipeline_sync()
        self._flush()
        results = [self._answer() for _ in kinds]
        if self._answer().status != ExecStatus.PIPELINE_SYNC:
            raise psycopg.InterfaceError("the database has answered something else than was asked")
        self._libpq.exit_pipeline_mode()
        answers = self._told(kinds, results)
        if refused is not None:
            raise refused
        return answers

    def _send(self, text: str, values: list[bytes | None], formats: list[int]) -> Iterator[str]:
        """Yields what there will be answers to: a text that is prepared, or nothing for a statement that is run."""
        name = self._prepared.get(text)
        if name is None:
            name = self._prepared[text] = b"basegate_%d" % next(self._names)
            self._libpq.send_prepare(name, _parsed(text)[0])
            yield text
        self._libpq.send_query_prepared(name, values, formats)
        yield ""

    def _told(self, kinds: Sequence[str], results: Sequence[Any]) -> list[Rows]:
        """The answers to what was run; forgets what could not be prepared."""
        failed = next((each for each in results if each.status not in _GOOD), None)
        if failed is None:
            return [Rows(result) for kind, result in zip(kinds, results, strict=True) if not kind]
        for kind, result in zip(kinds, results, strict=True):
            if kind and result.status not in _GOOD:
                del self._prepared[kind]
        raise psycopg.errors.error_from_result(failed)

    def _flush(self) -> None:
        while self._libpq.flush():
            self._wait(select.POLLIN | select.POLLOUT)
            self._libpq.consume_input()

    def _answer(self) -> Any:
        """The next answer."""
        answer = None
        while (result := self._result()) is not None:
            answer = result
            if result.status == ExecStatus.PIPELINE_SYNC:
                break
        if self._libpq.status == ConnStatus.BAD or answer is None:
            raise psycopg.OperationalError(self._libpq.get_error_message() or "the connection has ended")
        return answer

    def _result(self) -> Any:
        while self._libpq.is_busy():
            self._wait(select.POLLIN)
            self._libpq.consume_input()
        return self._libpq.get_result()

    def _wait(self, events: int) -> None:
        poll = select.poll()
        poll.register(self._libpq.socket, events)
        poll.poll()


_GOOD = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK})


@lru_cache(maxsize=1024)
def _parsed(text: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement as PostgreSQL takes it, and the names of its parameters in their order."""
    names: dict[str, int] = {}

    def numbered(found: "re.Match[str]") -> str:
        name = found[1]
        return "%" if name is None else f"${names.setdefault(name, len(names) + 1)}"

    return _PARAMETER.sub(numbered, text).encode(), tuple(names)


def _ready(commands: Sequence[Command]) -> tuple[list[_Sent], Exception | None]:
    """What can be sent, up to the first that cannot, and why that cannot.

    What comes before it is run: others may count on it, as on a savepoint.
    """
    sent: list[_Sent] = []
    try:
        for text, values in commands:
            found = [values[name] for name in _parsed(text)[1]]
            formats = [_BINARY if isinstance(value, bytes) else _TEXT for value in found]
            sent.append((text, [_dumped(value) for value in found], formats))
    except Exception as error:  # noqa: BLE001 - it is raised behind the answers to the others
        return sent, error
    return sent, None


def _dumped(value: Any) -> bytes | None:
    if isinstance(value, str):
        if "\0" in value:
            raise psycopg.DataError("texts of PostgreSQL have no NUL characters")
        return value.encode()
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int | float):
        return repr(value).encode()
    raise psycopg.ProgrammingError(f"{type(value).__name__} is no type of a parameter")


def _loader(kind: int) -> Callable[[bytes], Any]:
    found = _LOADERS.get(kind)
    if found is None:
        raise psycopg.ProgrammingError(f"columns of the type {kind} (pg_type.oid) cannot be read here: cast them")
    return found


def _is_true(text: bytes) -> bool:
    return text == b"t"


def _binary(text: bytes) -> bytes:
    return bytes.fromhex(text[2:].decode())


_LOADERS: dict[int, Callable[[bytes], Any]] = {
    16: _is_true,
    17: _binary,
    **dict.fromkeys((20, 21, 23, 26, 1700), int),  # sums of whole numbers are `numeric`
    **dict.fromkeys((700, 701), float),
    **dict.fromkeys((18, 19, 25, 1042, 1043, 2278), bytes.decode),
}
"""By the id of a type (https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat)."""
