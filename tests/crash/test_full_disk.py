"""A disk that is full to the last block: it can be freed with basegate's own means, and tells the truth meanwhile."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from registry.oci.digest import Digest
from tests.crash.small_disk import FILLER, fill, small_disk
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry

pytestmark = pytest.mark.root
LARGE = b"large" * 700_000


@pytest.fixture(params=["tmpfs", "ext4"])
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """An empty disk of 12 MiB."""
    with small_disk(tmp_path, request.param) as place:
        yield place


@pytest.fixture
def live(disk: Path) -> Iterator[LiveRegistry]:
    """A registry with an image, on a disk that has been filled by somebody else since."""
    with open_registry(disk / "data", gc={"grace_seconds": 0}) as live, live.client() as client:
        repository = Repository(client, "team/app")
        repository.image("v1", repository.blob(LARGE))
        fill(disk)
        yield live


def push(client: httpx.Client, content: bytes) -> httpx.Response:
    """Try to push a blob in chunks."""
    where = Repository(client, "team/app").open_upload()
    answer = client.patch(where, content=content)
    if answer.status_code != 202:
        return answer
    return client.put(answer.headers["location"], params={"digest": Digest.of(content)})


def test_a_push_is_refused_truthfully(live: LiveRegistry) -> None:
    """507 with its own code, and nothing of it is left, neither in uploads/ nor in incoming/."""
    with live.client() as client:
        answer = push(client, b"more" * 1_000_000)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (507, "INSUFFICIENT_STORAGE")
    left = [path for name in ("uploads", "incoming") for path in (live.data / name).rglob("*") if path.is_file()]
    assert left == []


def test_it_is_freed_by_a_delete_and_a_collection(live: LiveRegistry, tmp_path: Path) -> None:
    """Over HTTP and by command; then pushes are taken again."""
    (tmp_path / "settings.yaml").write_text("gc: {grace_seconds: 0}")
    with live.client() as client:
        repository = Repository(client, "team/app")
        digest = repository.get("manifests/v1").headers["docker-content-digest"]
        assert repository.delete(f"manifests/{digest}").status_code == 202
        collect = ["gc", "run", "--json", "--data", str(live.data), "--config", str(tmp_path / "settings.yaml")]
        assert json.loads(CliRunner().invoke(basegate, collect).stdout)["blobs"] == 2
        live.app.upkeep.keep_reserve()
        assert push(client, b"more" * 50_000).status_code == 201


def test_it_is_told(live: LiveRegistry) -> None:
    """By readiness and the metrics, as long as it lasts."""
    with live.client() as client:
        Repository(client, "team/app").delete("manifests/v1")
        push(client, LARGE)
        live.app.upkeep.keep_reserve()
        told = client.get("/readyz")
        (live.data.parent / FILLER).unlink()
        live.app.upkeep.keep_reserve()
        assert (told.status_code, "full" in told.text) == (503, True)
        assert client.get("/readyz").status_code == 200


def test_a_start_on_a_full_disk_serves_reads(disk: Path) -> None:
    """After a stop, also after a stop that had no room for anything."""
    with open_registry(disk / "data") as live, live.client() as client:
        pushed = Repository(client, "team/app").image("v1")
        fill(disk)
    for _ in range(2):
        with open_registry(disk / "data") as live, live.client() as client:
            assert Repository(client, "team/app").get("manifests/v1").content == pushed.raw
            assert client.get("/readyz").status_code == 503
            assert Repository(client, "team/app").delete("manifests/nothing").status_code == 404
            fill(disk)


def test_the_audit_log_keeps_its_lines(live: LiveRegistry) -> None:
    """Each is there once there is room, whole and in order."""
    with live.client() as client:
        for number in range(300):
            client.get(f"/v2/team/app/manifests/missing{number}")
        (live.data.parent / FILLER).unlink()
        client.get("/v2/team/app/manifests/last")
    log = live.data / "audit" / "audit.log"
    while '"reference":"last"' not in log.read_text() or not log.read_text().endswith("\n"):
        pass  # the line is written a moment after the answer
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [line["reference"] for line in lines if line["reference"].startswith(("missing", "last"))]
    assert told == [*(f"missing{number}" for number in range(300)), "last"]
