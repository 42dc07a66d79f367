"""A registry moves to an object store and PostgreSQL, and back: it is the same there, and here again."""

from typing import Any, NamedTuple

import pytest

from tests.policy.cli.migrations import LARGE, Home, changed, fill, told
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto

OUTSIDE = ("storage", "metadata")


class Journey(NamedTuple):
    """What was told before, outside, and back in the folder; what the commands said; the secrets, and where."""

    home: Home
    secrets: dict[str, str]
    before: dict[str, Any]
    there: dict[str, Any]
    back: dict[str, Any]
    moves: list[dict[str, Any]]


@pytest.fixture(scope="module", name="journey")
def _journey(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """One registry, there and back; it is only looked at."""
    home = Home.beside(tmp_path_factory.mktemp("journey"), moto(), postgres)
    secrets = fill(home)
    before = told(home, secrets)
    moves = [home.moved()]
    there = told(home, secrets, *OUTSIDE)
    moves.append(home.moved(back=True))
    return Journey(home, secrets, before, there, told(home, secrets), moves)


@pytest.mark.parametrize("place", ["there", "back"])
def test_it_tells_and_serves_the_same(journey: Journey, place: str) -> None:
    """Catalog, tags, manifests, blobs, verdicts, history, events, principals, orders, locks, trash."""
    assert changed(journey.before, getattr(journey, place)) == set()
    assert len(journey.before["events"]) > 5
    assert (journey.before["checks"][0][0], journey.before["verify"]) == (True, 0)


def test_nothing_is_sent_that_need_not_be(journey: Journey) -> None:
    """Each blob once, and what is in the trash."""
    there, back = (move["blobs"] for move in journey.moves)
    assert there["copied"] == back["copied"] > 5
    assert there["bytes"] == back["bytes"] > len(LARGE)
    assert (there["there"], there["in_trash"] > 0) == (0, True)
    assert journey.moves[0]["rows"] == journey.moves[1]["rows"]


def test_what_the_folder_had_is_there(journey: Journey) -> None:
    """Nothing is removed: rows and blobs of before."""
    aside = journey.home.data / journey.moves[0]["aside"]
    assert (aside / "registry.db").is_file()
    assert any(file.read_bytes() == LARGE for file in (aside / "blobs").rglob("*") if file.is_file())


def test_the_audit_log_is_one(journey: Journey) -> None:
    """It stays in the folder, and both moves are lines of it."""
    log = (journey.home.data / "audit/audit.log").read_text()
    assert log.count('"migrate"') == 2
    assert journey.home.on_folder("audit verify").exit_code == 0
