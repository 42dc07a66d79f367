"""Conditions that each database says in its own words: SQLite looks them up in an index."""

import pytest
from sqlalchemy import ColumnElement, create_engine, literal, select
from sqlalchemy.dialects import sqlite

from registry.database.dialects import fits, is_in
from registry.metadata.tables import SCHEMA, manifests, repositories


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        (is_in(manifests.c.digest, literal('["sha256:00"]')), "ix_manifests_digest (digest=?)"),
        (is_in(manifests.c.id, literal("[1]")), "INTEGER PRIMARY KEY (rowid=?)"),
        (fits(repositories.c.name, "team/*"), "(name>? AND name<?)"),
    ],
    ids=["texts", "numbers", "pattern"],
)
def test_a_condition_is_looked_up_in_an_index(condition: ColumnElement[bool], index: str) -> None:
    """It is not asked of each row."""
    asked = select(literal(1)).where(condition)
    said = asked.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        SCHEMA.create_all(connection)
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}".replace("%", "%%")).all()
    engine.dispose()
    assert index in str(plan)
