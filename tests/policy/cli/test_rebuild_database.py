"""The database of several nodes is lost: its rows are made anew from their copy in the object store, as they were."""

import json
import time
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from click.testing import Result

from registry.database.postgres import Database
from registry.metadata.schema import SCHEMA
from tests.policy.cli.migrations import Home, changed, fill, told
from tests.postgres import PostgresServer
from tests.registry.maintenance.kept_copies import copied
from tests.registry.storage.object_servers import moto

OUTSIDE = ("storage", "metadata")
ORDERS = "basegate_policy.standing_orders"


class Rebuilt(NamedTuple):
    """What was told and dumped before the database was lost, and after; and what the command said."""

    home: Home
    told: tuple[dict[str, Any], dict[str, Any]]
    rows: tuple[dict[str, list[str]], dict[str, list[str]]]
    said: Result


@pytest.fixture(scope="module", name="rebuilt")
def _rebuilt(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Rebuilt:
    """A registry with something of everything, in another database than before; it is only looked at."""
    home = Home.beside(tmp_path_factory.mktemp("rebuilt"), moto(), postgres)
    home.metadata["copy_seconds"] = 0.5
    secrets = fill(home)
    home.moved()
    before = told(home, secrets, *OUTSIDE)
    stopped = time.time()
    with home.serving(secrets, *OUTSIDE) as live:
        copied(live.registry, stopped)
    other = replace(home, metadata=postgres.settings())
    said = other.on_folder("rebuild --json", *OUTSIDE)
    rows = dump(home), dump(other)
    return Rebuilt(other, (before, told(other, secrets, *OUTSIDE)), rows, said)


def dump(home: Home) -> dict[str, list[str]]:
    """Every row of every table, in one order; without since when rows know of everything."""
    with Database(home.metadata["url"]).connect() as connection:
        connection.execute("UPDATE store SET knows_since = 0")
        found = {name: connection.execute(f"SELECT t::text FROM {name} t") for name in (*SCHEMA.tables, ORDERS)}  # noqa: S608
        rows = {name: sorted(text for (text,) in each) for name, each in found.items()}
        connection.rollback()
    return rows


def test_every_row_is_as_it_was(rebuilt: Rebuilt) -> None:
    """Of every table of the registry, and the standing orders."""
    assert rebuilt.said.exit_code == 0, rebuilt.said.output
    before, after = rebuilt.rows
    assert {name for name in before if before[name] != after[name]} == set()
    assert all(before[name] for name in ("manifests", "tags", "events", "locks", "trash", "principal_secrets", ORDERS))


def test_it_tells_and_serves_the_same(rebuilt: Rebuilt) -> None:
    """Catalog, tags, manifests, blobs, history, events, principals, orders, locks, trash; verdicts are found anew."""
    # It counts verdicts of images that have gone as well, which nobody finds again.
    assert changed(*rebuilt.told) - {"policy list"} == set()
    assert [allowed for allowed, *_ in rebuilt.told[1]["checks"]] == [True, False]


def test_it_says_what_it_made(rebuilt: Rebuilt) -> None:
    """All of it, and nothing is missing."""
    said = json.loads(rebuilt.said.stdout)
    assert said["rows"]["manifests"] == len(rebuilt.rows[0]["manifests"])
    assert (said["missing"], said["made"] > 0) == ([], True)


def test_a_database_with_content_is_left_alone(rebuilt: Rebuilt) -> None:
    """Also with --force: the command is told of an empty one."""
    refused = rebuilt.home.on_folder("rebuild --force", *OUTSIDE)
    assert (refused.exit_code, "name one that is empty" in refused.stderr) == (2, True)
