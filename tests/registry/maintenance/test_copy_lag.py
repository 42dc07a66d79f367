"""The metric on how far the copy of rows in the object store is behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.postgres import PostgresServer
from tests.registry.maintenance.kept_copies import copied
from tests.registry.storage.object_servers import moto
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry
from tests.waiting import wait_until

NAME = "basegate_rows_copy_lag_seconds"


def lag(client: httpx.Client) -> float | None:
    """What a server says."""
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(NAME)]
    return float(lines[0].split()[1]) if lines else None


@contextmanager
def node(folder: Path, postgres: PostgresServer, copy_seconds: float) -> Iterator[tuple[LiveRegistry, httpx.Client]]:
    """One whose rows are in PostgreSQL, with an image."""
    groups = {"storage": moto().settings(folder / "keys"), "metadata": postgres.settings(copy_seconds=copy_seconds)}
    with open_registry(folder / "data", **groups) as live, live.client() as client:
        Repository(client, "team/app").image("v1")
        yield live, client


def test_nothing_waits_when_the_rows_are_copied(postgres: PostgresServer, tmp_path: Path) -> None:
    """Of the node that makes the copy."""
    with node(tmp_path, postgres, 0.1) as (live, client):
        copied(live)
        wait_until(lambda: lag(client) == 0)


def test_changes_wait_while_no_copy_can_be_made(postgres: PostgresServer, tmp_path: Path) -> None:
    """And no longer when one is made."""
    with node(tmp_path, postgres, 0.1) as (live, client):
        copied(live)
        drafts, aside = tmp_path / "data" / "copy", tmp_path / "aside"
        drafts.rename(aside)
        drafts.touch()
        Repository(client, "team/app").image("v2")
        wait_until(lambda: (lag(client) or 0) > 0.5)
        drafts.unlink()
        aside.rename(drafts)
        wait_until(lambda: lag(client) == 0)


@pytest.mark.parametrize("copy_seconds", [0, 0.1])
def test_it_is_told_where_copies_are_made(postgres: PostgresServer, tmp_path: Path, copy_seconds: float) -> None:
    """Not where the setting says that none are."""
    with node(tmp_path, postgres, copy_seconds) as (live, client):
        wait_until(live.app.services.stores.metadata.leads)
        wait_until(lambda: (lag(client) is not None) is bool(copy_seconds))


def test_rows_in_a_file_have_no_such_copy(tmp_path: Path) -> None:
    """One machine."""
    with open_registry(tmp_path) as live, live.client() as client:
        assert lag(client) is None
