"""Scrubbing: damage is found before anybody asks, beside a running server, and a pass goes on where it was cut."""

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.maintenance.pace import Pace, Stopped
from registry.maintenance.scrub import Scrub, read_progress
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.damages import change_manifest, flipped
from tests.registry.open_services import OpenServices, open_services
from tests.repository import Pushed, Repository
from tests.servers import LiveRegistry, open_registry

LARGE = b"large" * 100_000


@pytest.fixture
def image(live: LiveRegistry) -> Iterator[tuple[Repository, Pushed, Pushed]]:
    """A repository, a layer and the image over it."""
    with live.client() as client:
        repository = Repository(client, "team/app")
        layer = repository.blob(LARGE)
        yield repository, layer, repository.image("v1", layer)


def scrub(live: LiveRegistry, *arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(basegate, ["scrub", "--data", str(live.data), "--rate", "0", *arguments])


def path_of(live: LiveRegistry, blob: Pushed) -> Path:
    """Where its bytes are."""
    return next(live.data.glob(f"blobs/*/*/{blob.digest.partition(':')[2]}"))


def test_sound_content_is_told_of(live: LiveRegistry, image: tuple[Repository, Pushed, Pushed]) -> None:
    """Exit code 0, and how much was read."""
    result = scrub(live, "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["manifests"], found["blobs"], found["withheld"]) == (0, 1, 2, [])
    assert found["bytes"] == len(LARGE) + 2


def test_a_flipped_bit_of_a_large_blob_is_found(live: LiveRegistry, image: tuple[Repository, Pushed, Pushed]) -> None:
    """Its length is right: only reading it tells. The running server withholds it at once."""
    repository, layer, _ = image
    assert repository.get(f"blobs/{layer.digest}").status_code == 200
    flipped(path_of(live, layer))
    result = scrub(live)
    assert (result.exit_code, layer.digest in result.output) == (1, True)
    assert repository.head(f"blobs/{layer.digest}").status_code == 404
    assert repository.client.get("/readyz").status_code == 503
    repository.blob(LARGE)
    assert scrub(live).exit_code == 0


def test_a_missing_file_is_found(live: LiveRegistry, image: tuple[Repository, Pushed, Pushed]) -> None:
    """Rows show it, nothing is there; a push heals that as well."""
    repository, layer, _ = image
    path_of(live, layer).unlink()
    assert scrub(live).exit_code == 1
    assert layer.digest in repository.client.get("/readyz").text
    repository.blob(LARGE)
    assert repository.client.get("/readyz").status_code == 200


def test_a_damaged_manifest_is_found(live: LiveRegistry, image: tuple[Repository, Pushed, Pushed]) -> None:
    """Its bytes are in a row."""
    repository, _, manifest = image
    change_manifest(live.data, "UPDATE manifests SET content = ?", (b"{}",))
    result = scrub(live)
    assert (result.exit_code, manifest.digest in result.output) == (1, True)
    assert repository.put("v1", manifest.raw).status_code == 201


class CutShort(Pace):
    """Ends after so many pieces."""

    def __init__(self, left: int) -> None:
        super().__init__(lambda: 0)
        self._left = left

    def __call__(self, count: int) -> None:
        """One piece less."""
        self._left -= 1
        if not self._left:
            self.stop()
        super().__call__(count)


def scrub_of(services: OpenServices, pace: Pace) -> Scrub:
    """One over a folder that is open."""
    return Scrub(services.storage, services.metadata, services.data, pace)


def test_a_pass_goes_on_where_it_was_cut_short(tmp_path: Path) -> None:
    """What was read is not read again, and all was read in the end."""
    with open_services(tmp_path) as services:
        services.run(services.push_image(Tag("v1"), [b"layer %d" % number for number in range(8)]))
        with pytest.raises(Stopped):
            scrub_of(services, CutShort(5)).run()
        half = read_progress(tmp_path)
        assert (half.is_under_way, half.manifests, half.blobs) == (True, 1, 3)
        whole = scrub_of(services, Pace(lambda: 0)).run()
        assert (whole.blobs, read_progress(tmp_path).is_under_way) == (9, False)


def test_two_do_not_read_at_once(live: LiveRegistry) -> None:
    """The second says so; nobody waits."""
    with (live.data / "scrub.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert scrub(live).exit_code == 2
    assert scrub(live).exit_code == 0


def test_a_server_scrubs_by_itself(tmp_path: Path) -> None:
    """When its time has come, as the setting says."""
    with open_services(tmp_path) as services:
        services.run(services.push_image(Tag("v1"), [LARGE]))
    flipped(next(tmp_path.glob(f"blobs/*/*/{Digest.of(LARGE).encoded}")))
    (tmp_path / "scrub.json").write_text(json.dumps({"finished": 1.0}))
    with open_registry(tmp_path, scrub={"interval_seconds": 10}) as live, live.client() as client:
        while client.get("/readyz").status_code == 200:
            pass
        assert client.get(f"/v2/team/app/blobs/{Digest.of(LARGE)}").status_code == 404


def test_a_rate_is_kept_to() -> None:
    """What was read at once is waited for: a reader that is stopped meanwhile ends instead."""
    pace = Pace(lambda: 1)
    pace.stop()
    with pytest.raises(Stopped):
        pace(1_000_000)
