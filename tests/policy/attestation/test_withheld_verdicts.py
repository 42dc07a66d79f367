"""The one rule for referrers: who may not pull an image gets no verdict on it either, by whatever name."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.trees import refused_image
from tests.policy.attestation.published import REPOSITORY, get, referrers, tag_of
from tests.policy.live import LiveGateway, live_gateway


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server."""
    with live_gateway(tmp_path_factory.mktemp("withheld") / "data") as gateway:
        yield gateway


@pytest.fixture(scope="module")
def paths(live: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Everything that publishes the verdict on a refused image, as its owner sees it."""
    digest = live.push(tmp_path_factory.mktemp("refused"), f"{REPOSITORY}:bad", refused_image())
    with live.client("admin") as client:
        (entry,) = referrers(client, digest)
        named = [f"manifests/{entry['digest']}", f"manifests/{tag_of(digest)}"]
        tagged = client.head(f"/v2/{REPOSITORY}/{named[1]}").headers["docker-content-digest"]
        blobs = [each["digest"] for path in named for each in _named_by(json.loads(get(client, path)))]
    return [f"referrers/{digest}", *named, f"manifests/{tagged}", *(f"blobs/{blob}" for blob in blobs)]


def _named_by(manifest: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    return manifest["layers"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_may_not_pull_gets_nothing(live: LiveGateway, paths: list[str], method: str) -> None:
    """403 for the list, the manifests and the blobs, also for who knows their digests."""
    with live.client("reader") as client:
        found = {client.request(method, f"/v2/{REPOSITORY}/{path}").status_code for path in paths}
    assert (found, len(paths)) == ({403}, 6)


def test_the_refusal_says_why(live: LiveGateway, paths: list[str]) -> None:
    """What the image lacks, as at every other door."""
    with live.client("reader") as client:
        for path in paths:
            message = client.get(f"/v2/{REPOSITORY}/{path}").json()["errors"][0]["message"]
            assert "Python 3.7.1" in message


def test_who_sees_withheld_images_sees_it(live: LiveGateway, paths: list[str]) -> None:
    """The owner gets all of it."""
    with live.client("admin") as client:
        assert {client.get(f"/v2/{REPOSITORY}/{path}").status_code for path in paths} == {200}


def test_nothing_leaves_for_another_repository(live: LiveGateway, paths: list[str], tmp_path: Path) -> None:
    """Digests of one repository name nothing in another."""
    live.push(tmp_path, "team/other:bad", refused_image("other"))
    with live.client("admin") as client:
        found = {client.get(f"/v2/team/other/{path}").status_code for path in paths if "sha256:" in path}
    assert found == {200, 404}


def test_outsiders_get_nothing(live: LiveGateway, paths: list[str]) -> None:
    """Who may not pull in the repository at all."""
    with live.client("outsider") as client:
        assert {client.get(f"/v2/{REPOSITORY}/{path}").status_code for path in paths} == {403}
