"""Which tag and manifest was pulled last, when, and by whom."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.auth.actions import Role
from registry.auth.principals import Principal
from registry.config.pulls import PullSettings
from registry.metadata import last_pulls
from registry.metadata.last_pulls import Puller
from registry.metadata.open_store import open_metadata
from registry.oci.names import RepositoryName
from registry.server.cached_response import anew
from registry.telemetry.last_pulls import LastPulls
from registry.telemetry.request_record import RequestRecord
from tests.repository import Pushed, Repository
from tests.servers import LiveRegistry, open_registry

TEAM = RepositoryName("team/app")
LONG_AGO = 1000.0


@contextmanager
def served(data: Path) -> Iterator[tuple[LiveRegistry, Repository, Pushed]]:
    """A registry with one image, `v1`; what it has seen is written when it ends."""
    with open_registry(data, pulls={"write_seconds": 3600}) as live, live.client() as client:
        repository = Repository(client, TEAM)
        yield live, repository, repository.image("v1")


def told(data: Path, *names: str) -> dict[str, float]:
    """What the data folder says of names."""
    store = open_metadata(data)
    try:
        return store.read_now(last_pulls.latest, TEAM, names)
    finally:
        store.close()


def test_a_pull_by_tag_counts_for_tag_and_digest(tmp_path: Path) -> None:
    """The image has been used under either name."""
    with served(tmp_path) as (_, repository, image):
        before = time.time()
        repository.get("manifests/v1").raise_for_status()
    known = told(tmp_path, "v1", image.digest)
    assert set(known) == {"v1", image.digest}
    assert all(before - 1 <= when <= time.time() for when in known.values())


def test_a_pull_by_digest_does_not_count_for_the_tag(tmp_path: Path) -> None:
    """Whoever pins a digest does not use the tag."""
    with served(tmp_path) as (_, repository, image):
        repository.get(f"manifests/{image.digest}").raise_for_status()
    assert set(told(tmp_path, "v1", image.digest)) == {image.digest}


def test_answers_from_memory_count(tmp_path: Path) -> None:
    """What the response cache notes of an answer is enough to know a pull by."""
    settings = PullSettings()
    pulls = LastPulls(open_metadata(tmp_path), lambda: settings)
    pulls.observe(anew(record(), "192.0.2.2"))
    assert len(pulls.due) == 1


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("HEAD", "manifests/v1", {}),
        ("GET", "manifests/v2", {}),
        ("GET", "tags/list", {}),
        ("GET", "manifests/v1", {"Basegate-Purpose": "copy"}),
    ],
    ids=["head", "unknown", "list", "copy"],
)
def test_what_is_no_pull(tmp_path: Path, method: str, path: str, headers: dict[str, str]) -> None:
    """Neither a look, nor what is not there, nor a copy that says so."""
    with served(tmp_path) as (_, repository, image):
        repository.client.request(method, repository.url(path), headers=headers)
    assert not told(tmp_path, "v1", "v2", image.digest)


def test_what_is_deleted_is_forgotten(tmp_path: Path) -> None:
    """A new tag of the same name was never pulled."""
    with served(tmp_path) as (_, repository, image):
        repository.get("manifests/v1")
    with open_registry(tmp_path) as live, live.client() as client:
        repository = Repository(client, TEAM)
        repository.delete("manifests/v1").raise_for_status()
        repository.image("v1")
    assert set(told(tmp_path, "v1", image.digest)) == {image.digest}


def record(name: str = "ci", method: str = "GET", status: int = 200) -> RequestRecord:
    """A pull of team/app:v1."""
    made = RequestRecord("r", "192.0.2.1", method, "/v2/team/app/manifests/v1", "manifests.pull")
    made.repository, made.reference, made.digest, made.status = TEAM, "v1", "sha256:" + "0" * 64, status
    made.principal = Principal("an-id", name, Role.ACR_PULL)
    return made


class Hour:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = LONG_AGO

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now


@pytest.mark.parametrize(("later", "due"), [(3599.0, 0), (3601.0, 1)])
def test_one_write_an_hour(tmp_path: Path, later: float, due: int) -> None:
    """The same pull is due again when the hour is over."""
    clock, settings = Hour(), PullSettings()
    pulls = LastPulls(open_metadata(tmp_path), lambda: settings, clock)
    pulls.observe(record())
    pulls.due.clear()
    clock.now += later
    pulls.observe(record())
    assert len(pulls.due) == due


@pytest.mark.parametrize(
    "settings", [PullSettings(interval_seconds=0), PullSettings(uncounted=("c*",))], ids=["off", "uncounted"]
)
def test_settings_keep_pulls_out(tmp_path: Path, settings: PullSettings) -> None:
    """Nothing is recorded where that is switched off, or of scanners that are named."""
    pulls = LastPulls(open_metadata(tmp_path), lambda: settings)
    pulls.observe(record())
    assert not pulls.due


def test_memory_is_bounded(tmp_path: Path) -> None:
    """However many names are pulled, so many wait at most."""
    settings = PullSettings(remembered=100)
    pulls = LastPulls(open_metadata(tmp_path), lambda: settings)
    for number in range(300):
        made = record()
        made.reference = f"v{number}"
        pulls.observe(made)
    assert len(pulls.due) == 100


def test_a_pull_for_which_there_was_no_room_is_due_again(tmp_path: Path) -> None:
    """With the next pull of it, not an interval later."""
    settings = PullSettings(remembered=100)
    pulls = LastPulls(open_metadata(tmp_path), lambda: settings)
    for number in range(101):
        made = record()
        made.reference = f"v{number}"
        pulls.observe(made)
    pulls.due.clear()
    pulls.observe(made)
    assert len(pulls.due) == 1


def test_who_pulled(tmp_path: Path) -> None:
    """Everybody who did, the latest first."""
    with served(tmp_path) as (_live, repository, _image):
        repository.get("manifests/v1")
    store = open_metadata(tmp_path)
    found = store.read_now(last_pulls.pullers, TEAM, "v1", 10)
    store.close()
    assert [each.name for each in found] == ["anonymous"]
    assert isinstance(found[0], Puller)
