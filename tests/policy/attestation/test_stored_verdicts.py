"""Signed verdicts that are stored: content like any other, the newest alone, withheld and removed with its image."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from policy.attestation.settings import AttestSettings, Publication
from policy.attestation.stored_verdicts import StoredVerdicts
from registry.oci.digest import Digest
from tests.clients.trees import cleared_image, refused_image
from tests.policy.attestation.published import REPOSITORY, bundle, get, referrers, result, tag_of
from tests.policy.attestation.test_merged_verdicts import attested_by_others
from tests.policy.attestation.test_renewed_verdicts import YOUNG, turn_to
from tests.policy.live import LiveGateway, live_gateway
from tests.waiting import wait_until

STORED = {"referrer": "stored", "tag": "stored"}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server that stores both forms."""
    with live_gateway(tmp_path / "data", attest=STORED) as gateway:
        yield gateway


@pytest.fixture
def admin(live: LiveGateway) -> Iterator[httpx.Client]:
    """Its owner."""
    with live.client("admin") as client:
        yield client


@pytest.fixture
def refused(live: LiveGateway, tmp_path: Path) -> str:
    """The digest of an image that is refused."""
    return live.push(tmp_path / "refused", f"{REPOSITORY}:bad", refused_image())


def tags(client: httpx.Client) -> list[str]:
    """Those that are listed."""
    return list(json.loads(get(client, "tags/list"))["tags"])


def test_they_are_there_at_once_and_listed_soon(live: LiveGateway, admin: httpx.Client, tmp_path: Path) -> None:
    """Whoever asks has them with the 201; the tag is listed when they are stored, which takes no asking."""
    other = live.push(tmp_path / "other", f"{REPOSITORY}:other", cleared_image("other"))
    wait_until(lambda: tag_of(other) in tags(admin))
    cleared = live.push(tmp_path / "cleared", f"{REPOSITORY}:good", cleared_image())
    assert (result(admin, cleared), result(admin, other)) == ("PASSED", "PASSED")


def test_the_newest_alone_is_stored(live: LiveGateway, admin: httpx.Client, refused: str) -> None:
    """After a turn of the policy the earlier referrer is gone, from the list and from the store."""
    (before,) = referrers(admin, refused)
    assert result(admin, refused) == "FAILED"
    turn_to(live, YOUNG)
    (after,) = referrers(admin, refused)
    assert (result(admin, refused), after["digest"] == before["digest"]) == ("PASSED", False)
    listed = json.loads(get(admin, f"referrers/{refused}"))["manifests"]
    assert len(listed) == 2  # the bundle, and what is under the tag


def test_they_are_withheld_with_their_image(live: LiveGateway, admin: httpx.Client, refused: str) -> None:
    """By the list, the tag, the digests of both manifests, and those of their blobs."""
    bundle(admin, refused)
    entries = json.loads(get(admin, f"referrers/{refused}"))["manifests"]
    manifests = [json.loads(get(admin, f"manifests/{entry['digest']}")) for entry in entries]
    blobs = [f"blobs/{manifest['layers'][0]['digest']}" for manifest in manifests]
    named = [f"manifests/{entry['digest']}" for entry in entries]
    paths = [f"referrers/{refused}", f"manifests/{tag_of(refused)}", *named, *blobs]
    with live.client("reader") as reader:
        assert {path: reader.get(f"/v2/{REPOSITORY}/{path}").status_code for path in paths} == dict.fromkeys(paths, 403)


def test_what_others_attest_wins_the_tag(admin: httpx.Client, refused: str) -> None:
    """It stays, and is served with the verdict; what was the registry's own makes way."""
    result(admin, refused)
    theirs = json.loads(attested_by_others(admin, refused))["layers"]
    merged = json.loads(get(admin, f"manifests/{tag_of(refused)}"))["layers"]
    assert (merged[:1], len(merged)) == (theirs, 2)


def test_they_go_with_their_image(live: LiveGateway, admin: httpx.Client, refused: str) -> None:
    """Nothing is left under a tag that names an image which nobody has any more."""
    result(admin, refused)
    assert admin.delete(f"/v2/{REPOSITORY}/manifests/{refused}").status_code == 202
    stores = live.registry.app.services.stores
    settings = AttestSettings(referrer=Publication.STORED, tag=Publication.STORED)
    asyncio.run(StoredVerdicts(stores.storage, stores.metadata, lambda: settings).remove_orphans())
    assert admin.get(f"/v2/{REPOSITORY}/manifests/{tag_of(refused)}").status_code == 404
    assert not admin.get(f"/v2/{REPOSITORY}/tags/list").json()["tags"]


def test_a_copy_that_somebody_has_pushed_is_listed_once(tmp_path: Path) -> None:
    """The bundle that the registry makes and the same one as content are one referrer."""
    with live_gateway(tmp_path / "data") as live, live.client("admin") as client:
        cleared = live.push(tmp_path / "cleared", f"{REPOSITORY}:good", cleared_image())
        (entry,) = referrers(client, cleared)
        raw = get(client, f"manifests/{entry['digest']}")
        pushed = client.put(
            f"/v2/{REPOSITORY}/manifests/{Digest.of(raw)}", content=raw, headers={"Content-Type": entry["mediaType"]}
        )
        assert (pushed.status_code, len(referrers(client, cleared))) == (201, 1)
