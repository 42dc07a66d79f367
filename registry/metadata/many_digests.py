"""Statements over any number of digests, some hundreds at once: SQLite reads without the interpreter's lock."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Select, bindparam

from registry.database.statement import Statement
from registry.oci.digest import Digest

_T = TypeVar("_T")
_BATCH = 500
_PLACES = tuple(f"digest{number}" for number in range(_BATCH))


def batches(values: Collection[_T]) -> Iterator[list[_T]]:
    """Values in lists short enough for one statement's parameters."""
    ordered = list(values)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]


class ManyDigests:
    """A query whose rows have one of the digests that are asked for; compiled once, as `Statement` is.

    Args:
        query: without the digests.
        column: that has them.
    """

    def __init__(self, query: Select[Any], column: Column[Any]) -> None:
        self._statement = Statement(query.where(column.in_([bindparam(place) for place in _PLACES])))

    def rows(
        self, connection: Connection, digests: Collection[Digest], values: Mapping[str, Any]
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of those that are there, in any order; `values` of the query's own parameters."""
        for batch in batches(digests):
            asked = dict.fromkeys(_PLACES, "") | dict(zip(_PLACES, batch, strict=False))
            yield from self._statement.rows(connection, {**values, **asked})
