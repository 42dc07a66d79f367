"""A PostgreSQL database that goes while it is opened: whoever opens it is told what is wrong, and nothing else."""

import logging
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from registry.database.postgres import Database
from registry.metadata.open_postgres import DatabaseUnreachable, open_postgres
from tests.faulty_wire import FaultyWire
from tests.postgres import PostgresServer

LAST = 8
"""The wait for the commit that makes the tables of an empty database."""


def opened(postgres: PostgresServer, database: Database, at: int, *, runs: bool) -> bool:
    """Open it on connections that are cut at this wait; whether one was."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        wire = FaultyWire(Path(place), postgres.folder)
        wire.arm(at, runs=runs)
        try:
            through = replace(database, url=database.url.replace(str(postgres.folder), place))
            open_postgres(through, silence_seconds=30).close()
        finally:
            wire.close()
    return wire.has_cut


@pytest.mark.parametrize("runs", [False, True], ids=["before it is run", "before it is answered"])
@pytest.mark.parametrize("at", range(1, LAST + 1))
def test_a_connection_that_is_cut_is_told(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture, at: int, *, runs: bool
) -> None:
    """At each statement; the next opening finds a whole database."""
    database = postgres.new_database()
    with caplog.at_level(logging.WARNING), pytest.raises(DatabaseUnreachable, match=r"of metadata\.url cannot be used"):
        opened(postgres, database, at, runs=runs)
    assert [record for record in caplog.records if record.name.startswith("sqlalchemy")] == []
    open_postgres(database, silence_seconds=30).close()


def test_all_of_it_was_cut(postgres: PostgresServer) -> None:
    """Behind the last there is nothing left to cut."""
    assert not opened(postgres, postgres.new_database(), LAST + 1, runs=False)
