"""Where SQLite and PostgreSQL differ: types of columns, and the few expressions that each says in its own words.

Statements are written once, with these; each is compiled for the database that it runs on. Nothing of PostgreSQL is
imported here.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Dialect, Float, Integer, String, Text, literal, types
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.dialects.sqlite.dml import OnConflictDoNothing, OnConflictDoUpdate
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement, ReturnTypeFromArgs
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine

__all__ = ["Insert", "insert"]

POSTGRESQL = "postgresql"
ROW_ID: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")
"""Of a column whose values the database counts upwards: 64 bits in both."""
TEXT: TypeEngine[str] = Text().with_variant(Text(collation="C"), POSTGRESQL)
"""Texts that are ordered by their bytes."""
EVERYTHING = (1 << 63) - 1
"""A LIMIT that is none."""
_IN_BRACKETS = str.maketrans({sign: f"\\{sign}" for sign in "\\[]^"})


def ordered_text(length: int) -> TypeEngine[str]:
    """Texts that are ordered by their bytes; `length` is for people: neither database enforces it."""
    return String(length).with_variant(String(collation="C"), POSTGRESQL)


def without_nul(text: str) -> str:
    """A text that somebody else has written, as PostgreSQL can keep it too."""
    return text.replace("\0", "")


class Document(types.TypeDecorator[Any]):
    """JSON, kept as the text that it came as: PostgreSQL has it in a column of text."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text in PostgreSQL."""
        return dialect.type_descriptor(Text() if dialect.name == POSTGRESQL else JSON())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """From a document."""
        return json.dumps(value) if dialect.name == POSTGRESQL and value is not None else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """To a document."""
        return json.loads(value) if dialect.name == POSTGRESQL and value is not None else value


class _Update(OnConflictDoUpdate):
    """ON CONFLICT DO UPDATE, as the compilers of both databases take it."""

    constraint_target = None
    inherit_cache = True


class _Nothing(OnConflictDoNothing):
    """ON CONFLICT DO NOTHING, likewise."""

    constraint_target = None
    inherit_cache = True


def unless_there(added: Insert) -> Insert:
    """An INSERT that leaves a row of the same key as it is."""
    return added.ext(_Nothing())


def or_update(
    added: Insert,
    key: Sequence[str],
    values: Mapping[str, ColumnElement[Any]] | None = None,
    where: ColumnElement[bool] | None = None,
) -> Insert:
    """An INSERT that changes a row of the same `key` instead.

    `values`: what it sets; `None`: every other column that the table has, as it would be inserted. `where`: what has to
    hold of the row; else it stays as it is.
    """
    others = {column.name: added.excluded[column.name] for column in added.table.c if column.name not in key}
    return added.ext(_Update(list(key), set_=others if values is None else dict(values), where=where))


class greatest(ReturnTypeFromArgs[Any]):  # noqa: N801 - as SQL has it
    """The greatest of some values, none of which may be NULL."""

    inherit_cache = True


@compiles(greatest, "sqlite")
def _greatest_in_sqlite(element: greatest, compiler: Any, **named: Any) -> str:
    return f"max({compiler.process(element.clauses, **named)})"


@compiles(greatest)
def _greatest(element: greatest, compiler: Any, **named: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **named)})"


class database_time(FunctionElement[float]):  # noqa: N801 - as a function of SQL
    """Seconds since the epoch, by the clock of the database: the same for all nodes."""

    type = Float()
    inherit_cache = True


@compiles(database_time, "sqlite")
def _time_of_sqlite(_element: database_time, _compiler: Any, **_named: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_time)
def _time_of_database(_element: database_time, _compiler: Any, **_named: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"


class position_of(FunctionElement[int]):  # noqa: N801 - as a function of SQL
    """Where a text holds another, from 1 on: 0 when it does not."""

    type = Integer()
    inherit_cache = True


@compiles(position_of, "sqlite")
def _position_in_sqlite(element: position_of, compiler: Any, **named: Any) -> str:
    return f"instr({compiler.process(element.clauses, **named)})"


@compiles(position_of)
def _position(element: position_of, compiler: Any, **named: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **named)})"


class _Condition(FunctionElement[bool]):
    """An expression that stands in a WHERE as it is. SQLAlchemy would compare it with 1, past every index of SQLite."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Any:  # noqa: ARG002
        """Itself: it is compiled in brackets."""
        return self


class is_in(_Condition):  # noqa: N801 - as SQL has it
    """Whether a column has one of the values of a JSON array, which is one parameter however long it is."""

    inherit_cache = True


@compiles(is_in, "sqlite")
def _is_in_sqlite(element: is_in, compiler: Any, **named: Any) -> str:
    column, values = (compiler.process(each, **named) for each in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({values})))"  # noqa: S608 - expressions that are compiled


@compiles(is_in)
def _is_in(element: is_in, compiler: Any, **named: Any) -> str:
    column, values = element.clauses
    array = "BIGINT[]" if isinstance(column.type, Integer) else "TEXT[]"
    given = compiler.process(values, **named)
    members = f"SELECT json_array_elements_text(CAST({given} AS JSON))"
    return f"({compiler.process(column, **named)} = ANY(CAST(ARRAY({members}) AS {array})))"


def expression_of(pattern: str) -> str:
    """The regular expression of PostgreSQL that says what a pattern of `registry.oci.patterns` says."""
    # `fnmatch` writes for `re`: its flags and its end are not PostgreSQL's, nor are its possessive groups.
    told, rest = "", pattern
    while rest:
        sign, rest = rest[0], rest[1:]
        end = rest.find("]", 2 if rest.startswith("!") else 1) if sign == "[" else -1
        if end > 0:
            within, rest = rest[:end], rest[end + 1 :]
            none_of = within.startswith("!")
            told += f"[{'^' * none_of}{within[none_of:].translate(_IN_BRACKETS)}]"
        else:
            told += {"*": ".*", "?": "."}.get(sign) or _quoted(sign)
    return f"^(?:{told})$"


def _quoted(sign: str) -> str:
    return sign if sign.isalnum() or sign in "_/-" else f"\\{sign}"


class _Pattern(types.TypeDecorator[str]):
    """A pattern of `registry.oci.patterns`, in the words of the database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """SQLite's patterns are the same, but for the sign of "none of these"; PostgreSQL has regular expressions."""
        if value is None:
            return None
        return expression_of(value) if dialect.name == POSTGRESQL else value.replace("[!", "[^")


class fits_pattern(_Condition):  # noqa: N801 - as a function of SQL
    """Whether a text fits a pattern of `registry.oci.patterns`."""

    inherit_cache = True


@compiles(fits_pattern, "sqlite")
def _fits_in_sqlite(element: fits_pattern, compiler: Any, **named: Any) -> str:
    column, pattern = (compiler.process(each, **named) for each in element.clauses)
    return f"({column} GLOB {pattern})"


@compiles(fits_pattern)
def _fits(element: fits_pattern, compiler: Any, **named: Any) -> str:
    column, pattern = (compiler.process(each, **named) for each in element.clauses)
    return f"({column} ~ {pattern})"


def fits(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """The condition that a text fits a pattern with `*`, `?`, `[abc]` and `[!abc]`."""
    return fits_pattern(column, literal(pattern, _Pattern()))
