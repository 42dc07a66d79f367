"""A registry moves to each store and PostgreSQL and back: killed at every step, and with its numbers going on."""

from pathlib import Path

import pytest

from tests.policy.cli.migrations import Home, changed, fill, told
from tests.policy.cli.test_migrate_killed import goes_on, killed
from tests.policy.live import LiveGateway
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import ObjectServer
from tests.repository import Repository

OUTSIDE = ("storage", "metadata")
STEPS = 60
"""More than there are, either way."""


@pytest.fixture(name="home")
def _home(postgres: PostgresServer, server: ObjectServer, tmp_path: Path) -> Home:
    """A place for a registry."""
    return Home.beside(tmp_path, server, postgres)


@pytest.mark.parametrize("groups", [("storage",), ("metadata",), OUTSIDE], ids="+".join)
def test_there_and_back(home: Home, groups: tuple[str, ...]) -> None:
    """Blobs without rows, rows without blobs, and both."""
    secrets = fill(home)
    before, urls = told(home, secrets), tuple(getattr(home, group)["url"] for group in groups)
    home.moved(*urls)
    assert changed(before, told(home, secrets, *groups)) == set()
    home.moved(*urls, back=True)
    assert changed(before, told(home, secrets)) == set()


@pytest.mark.parametrize("step", range(1, STEPS))
def test_killed_at_every_step(home: Home, step: int) -> None:
    """It goes on."""
    goes_on(home.with_images(), step)


def test_there_are_not_more_steps(home: Home) -> None:
    """The test above kills at each of them."""
    home.with_images()
    assert [killed(home, STEPS, back=back) for back in (False, True)] == [False, False]


def pushed(live: LiveGateway, name: str) -> tuple[int, int]:
    """The numbers of the newest event before a push, and behind it."""
    with live.client("admin") as client:
        numbers = [int(client.get("/policy/v1/events").json()["newest"])]
        repository = Repository(client, name)
        repository.image("new", repository.blob(name.encode()))
        return numbers[0], int(client.get("/policy/v1/events").json()["newest"])


def test_counting_goes_on(home: Home) -> None:
    """No number of an event is given out again, neither there nor back."""
    secrets, numbers = fill(home), list[int]()
    for step, outside in enumerate(((), OUTSIDE, ())):
        if step:
            home.moved(back=step == 2)
        with home.serving(secrets, *outside) as live:
            numbers += pushed(live, f"team/step{step}")
    assert numbers == sorted(numbers)
    assert numbers[0] < numbers[1] <= numbers[2] < numbers[3] <= numbers[4] < numbers[5]


def test_the_trash_is_restored_there(home: Home) -> None:
    """With the blobs of what was deleted."""
    fill(home)
    home.moved()
    assert home.on_folder("gc undo", *OUTSIDE).exit_code == 0
    assert home.on_folder("verify --digests", *OUTSIDE).exit_code == 0
