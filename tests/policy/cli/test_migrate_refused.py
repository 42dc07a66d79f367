"""When `basegate migrate` does not move a registry: it says why, and everything is where it was."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from policy.app import build
from policy.settings import Settings
from registry.database.postgres import Database
from registry.metadata.open_postgres import open_postgres
from registry.metadata.open_store import open_metadata
from registry.oci.digest import Digest
from registry.oci.errors import Unavailable
from registry.server.data_lock import DataLock
from registry.storage.disk.layout import Layout
from tests.policy.cli.migrations import LARGE, Home
from tests.postgres import PostgresServer
from tests.registry.open_services import open_services
from tests.registry.storage.object_servers import moto
from tests.servers import quiet, running

SMALL = Digest.of(b"small")
OUTSIDE = ("storage", "metadata")


@pytest.fixture(name="home")
def _home(postgres: PostgresServer, tmp_path: Path) -> Home:
    """A registry that has not moved, with one image."""
    return Home.beside(tmp_path, moto(), postgres).with_images()


def is_where_it_was(home: Home) -> bool:
    """Whether it works without the URLs, and the database is empty."""
    with Database(home.metadata["url"]).connect(autocommit=True) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'manifests'").fetchone()
    there = home.on_folder("tag ls team/app")
    return found == (0,) and there.exit_code == 0 and "v1" in there.stdout


def settle(home: Home) -> None:
    """Have the journal forget its blobs: it would heal them."""
    with closing(sqlite3.connect(home.data / "registry.db")) as rows:
        rows.execute("DELETE FROM fresh_blobs")
        rows.commit()


@contextmanager
def served(home: Home) -> Iterator[httpx.Client]:
    """A client of a node, where nobody has to sign in."""
    settings = quiet(home.data, auth={"required": False}, **home.groups(*OUTSIDE))
    with running(build(Settings.model_validate(settings))) as live, live.client() as client:
        yield client


def test_beside_a_server(home: Home) -> None:
    """Blobs are copied; what comes then moves when the server is stopped, and nothing twice."""
    server = DataLock(home.data)
    early = home.move(flags=("--json",))
    server.release()
    assert (early.exit_code, "is in use by another server" in early.stdout) == (1, True)
    assert is_where_it_was(home)
    with open_services(home.data) as services:
        services.run(services.push_blob(b"later"))
    blobs = home.moved()["blobs"]
    assert (blobs["copied"], blobs["there"]) == (1, 3)


def test_reads_go_on(home: Home) -> None:
    """With --wait: writes are refused when all is copied, until the server is stopped; then it has moved."""
    server, command = DataLock(home.data), [sys.executable, "-m", "policy", *home.words(), "--wait"]
    with open_services(home.data, rows=partial(open_metadata, home.data, busy_seconds=0.1)) as services:
        with subprocess.Popen(command, env=os.environ | home.variables, stderr=subprocess.PIPE, text=True) as moving:
            assert moving.stderr is not None
            assert "stop the server now" in moving.stderr.readline()
            assert services.run(services.tag_names()) == ("v1",)
            with pytest.raises(Unavailable):
                services.run(services.push_blob(b"refused"))
            server.release()
        assert moving.returncode == 0
    assert home.on_folder("verify --digests", *OUTSIDE).exit_code == 0


def test_reads_of_a_database_go_on(home: Home) -> None:
    """Likewise on the way back: a node serves while it is told to stop, and another command waits for it."""
    home.moved()
    command = [sys.executable, "-m", "policy", *home.words(back=True), "--wait"]
    node = ExitStack()
    client = node.enter_context(served(home))
    with subprocess.Popen(command, env=os.environ | home.variables, stderr=subprocess.PIPE, text=True) as moving, node:
        assert moving.stderr is not None
        assert "stop the server now" in moving.stderr.readline()
        assert client.get("/v2/team/app/tags/list").json()["tags"] == ["v1"]
        refused = client.post(f"/v2/team/app/blobs/uploads/?digest={Digest.of(LARGE)}", content=LARGE)
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    assert moving.returncode == 0
    assert home.on_folder("verify --digests").exit_code == 0


def test_beside_other_nodes(home: Home) -> None:
    """Nothing comes back as long as one is connected to the database."""
    home.moved()
    with closing(open_postgres(Database(home.metadata["url"]))):
        early = home.move(back=True)
    assert (early.exit_code, "other nodes, or commands, are connected" in early.stdout) == (1, True), early.output
    assert home.on_folder("verify", *OUTSIDE).exit_code == 0
    assert home.moved(back=True)["moved"] is True


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
def test_a_damaged_blob(home: Home, content: bytes) -> None:
    """It is named, stays where it is, and nothing is switched over."""
    settle(home)
    file = Layout(home.data).blob(Digest.of(content))
    file.chmod(0o644)
    file.write_bytes(content[:-1] + b"!")
    refused = home.move()
    assert (refused.exit_code, f"damaged: {Digest.of(content)}" in refused.stdout) == (1, True)
    assert "--leave-lost" in refused.stdout
    assert is_where_it_was(home)
    assert file.read_bytes().endswith(b"!")


def test_a_lost_blob_can_be_left(home: Home) -> None:
    """The move tells of it, and so does the registry afterwards: a push heals it."""
    settle(home)
    Layout(home.data).blob(SMALL).unlink()
    assert home.move().exit_code == 1
    assert home.moved(flags=("--leave-lost",))["missing"] == [SMALL]
    verified = home.on_folder("verify", *OUTSIDE)
    assert (verified.exit_code, f"blob {SMALL} is missing" in verified.stdout) == (1, True)


def test_what_no_row_names_is_left_behind(home: Home) -> None:
    """And named."""
    stray = Layout(home.data).blob(Digest.of(b"stray"))
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    assert home.moved()["unnamed"] == [Digest.of(b"stray")]


def test_a_database_with_content(home: Home) -> None:
    """Whoever's it is."""
    with Database(home.metadata["url"]).connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE theirs (id INTEGER)")
    refused = home.move()
    assert (refused.exit_code, "has content, theirs for one" in refused.stderr) == (2, True)
    assert is_where_it_was(home)


def test_a_store_with_content(home: Home, postgres: PostgresServer, tmp_path: Path) -> None:
    """Of another registry, also one that has moved there."""
    home.moved()
    other = Home(tmp_path / "other" / "data", home.storage, postgres.settings()).with_images()
    refused = other.move()
    assert (refused.exit_code, "has the blobs of another registry" in refused.stderr) == (2, True)
    assert is_where_it_was(other)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://no-such-bucket/lab", "there is no such bucket"),
        ("postgresql://basegate@/nothing?host={host}", "cannot be used"),
        ("postgresql://ann:secret@db.example.org/lab", "without a password"),
        ("ftp://ann:secret@example.org", "--to names something else"),
    ],
)
def test_a_wrong_url(home: Home, postgres: PostgresServer, url: str, words: str) -> None:
    """It is named, and no secret in it."""
    refused = home.move(url.format(host=postgres.folder))
    assert (refused.exit_code, words in refused.stderr, "secret" in refused.output) == (2, True, False)
    assert is_where_it_was(home)


@pytest.mark.parametrize("more", ["--to elsewhere", "--to s3://one/more", "--from s3://one/more"])
def test_a_way_that_is_none(home: Home, more: str) -> None:
    """From a folder to a folder, to two stores, from a store to a store."""
    assert home.move(flags=tuple(more.split())).exit_code == 2
    assert is_where_it_was(home)


def test_a_newer_registry(home: Home) -> None:
    """A schema that this basegate does not know is left alone."""
    with closing(sqlite3.connect(home.data / "registry.db")) as rows:
        rows.execute("UPDATE alembic_version SET version_num = '9999'")
        rows.commit()
    refused = home.move()
    assert (refused.exit_code, "has schema 9999" in refused.stderr) == (2, True)


def test_there_is_no_registry(home: Home, tmp_path: Path) -> None:
    """A folder that was mistyped is not made one."""
    refused = Home(tmp_path / "typo", home.storage, home.metadata).move()
    assert (refused.exit_code, "there is no registry" in refused.stderr) == (2, True)
