"""Connections to an SQLite file: one for each thread, set up alike."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError, ResourceClosedError

from registry.database.other_commits import OtherCommits
from registry.database.sqlite import ThreadConnections, connect


def test_a_path_is_a_path(tmp_path: Path) -> None:
    """Whatever stands in its name."""
    path = tmp_path / "what? #1 100%.db"
    with connect(path, begin="BEGIN IMMEDIATE").begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
    assert path.stat().st_size > 0


def test_pragmas_are_those_of_every_connection(tmp_path: Path) -> None:
    """In the order given."""
    engine = connect(tmp_path / "a.db", begin="", pragmas=("journal_mode=WAL", "synchronous=NORMAL"))
    with engine.connect() as first, engine.connect() as second:
        assert [each.execute(text("PRAGMA synchronous")).scalar_one() for each in (first, second)] == [1, 1]


def test_without_a_beginning_each_statement_stands_for_itself(tmp_path: Path) -> None:
    """What another connection commits is seen at once."""
    path = tmp_path / "a.db"
    with connect(path, begin="").connect() as reading, connect(path, begin="BEGIN IMMEDIATE").connect() as writing:
        assert reading.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one() == 0
        with writing.begin():
            writing.execute(text("CREATE TABLE numbers (number INTEGER)"))
        assert reading.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one() == 1


def test_a_thread_has_a_connection_of_its_own(tmp_path: Path) -> None:
    """The same each time it asks, and of each engine."""
    engine, connections = connect(tmp_path / "a.db", begin=""), ThreadConnections()
    found: list[Connection] = []
    thread = threading.Thread(target=lambda: found.append(connections.of(engine)))
    thread.start()
    thread.join()
    own = connections.of(engine)
    assert own is connections.of(engine)
    assert own is not found[0]
    assert own is not connections.of(connect(tmp_path / "b.db", begin=""))
    connections.close()


def test_all_are_closed(tmp_path: Path) -> None:
    """Those of other threads too."""
    engine, connections = connect(tmp_path / "a.db", begin=""), ThreadConnections()
    own = connections.of(engine)
    connections.close()
    with pytest.raises((ProgrammingError, ResourceClosedError)):
        own.execute(text("SELECT 1"))


def test_what_others_commit_is_counted(tmp_path: Path) -> None:
    """Once it was looked at again, and only what was committed."""
    path = tmp_path / "a.db"
    engine, others = connect(path, begin="BEGIN IMMEDIATE"), OtherCommits(path)
    before = others.count()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
    while others.count() == before:  # a tenth of a second at most
        pass
    assert others.count() == before + 1
    others.close()
