"""Statements are written once: each can be said to both databases."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ClauseElement

import registry.metadata
from registry.database.statement import Statement

DIALECTS: list[Dialect] = [sqlite.dialect(), postgresql.dialect()]  # type: ignore[no-untyped-call]


def _everything() -> Iterator[tuple[str, object]]:
    """What the modules of rows hold, by name."""
    for module in pkgutil.iter_modules(registry.metadata.__path__, "registry.metadata."):
        for name, value in vars(importlib.import_module(module.name)).items():
            yield f"{module.name}.{name}", value


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_every_statement_is_one_of_each_database(dialect: Dialect) -> None:
    """Those that are compiled once, and those that SQLAlchemy runs."""
    compiled = 0
    for name, value in _everything():
        clause = value._clause if isinstance(value, Statement) else value  # noqa: SLF001  as it is compiled
        if isinstance(clause, ClauseElement) and clause.supports_execution:
            assert str(clause.compile(dialect=dialect)), name
            compiled += 1
    assert compiled > 100
