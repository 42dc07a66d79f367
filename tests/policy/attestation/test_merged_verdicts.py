"""The tag of attestations when others have pushed some: merged with the verdict, and known by its digest afterwards."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from policy.app import build
from policy.attestation.forms import ENVELOPE_TYPE
from policy.settings import Settings
from registry.oci import media_types
from registry.oci.digest import Digest
from tests.clients.trees import cleared_image
from tests.policy.attestation.published import REPOSITORY, tag_of
from tests.policy.live import LiveGateway, live_gateway
from tests.repository import Repository
from tests.servers import quiet, running

THEIRS = b'{"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": []}'


def attested_by_others(client: httpx.Client, digest: str) -> bytes:
    """What a third party pushes under the tag of an image."""
    there = Repository(client, REPOSITORY)
    envelope, config = there.blob(THEIRS), there.blob(b"{}")
    layer = {"mediaType": ENVELOPE_TYPE, "digest": envelope.digest, "size": len(THEIRS)}
    entry = {"mediaType": media_types.OCI_CONFIG, "digest": config.digest, "size": 2}
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": entry, "layers": [layer]}
    raw = json.dumps(document).encode()
    assert there.put(tag_of(digest), raw).status_code == 201
    return raw


@contextmanager
def started_again(live: LiveGateway) -> Iterator[httpx.Client]:
    """The owner at a server over the same folder."""
    live.registry.stop()
    settings, who = Settings.model_validate(quiet(live.registry.data)), ("admin", live.secrets["admin"])
    with running(build(settings)) as again, again.client(auth=who) as client:
        yield client


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server."""
    with live_gateway(tmp_path / "data") as gateway:
        yield gateway


@pytest.fixture
def cleared(live: LiveGateway, tmp_path: Path) -> str:
    """The digest of an image that is cleared."""
    return live.push(tmp_path / "cleared", f"{REPOSITORY}:good", cleared_image())


def test_both_are_there(live: LiveGateway, cleared: str) -> None:
    """The others' first, byte for byte, and the registry's own."""
    with live.client("admin") as client:
        pushed = json.loads(attested_by_others(client, cleared))
        merged = json.loads(client.get(f"/v2/{REPOSITORY}/manifests/{tag_of(cleared)}").content)
    assert (merged["layers"][:1], len(merged["layers"])) == (pushed["layers"], 2)


def test_a_merged_manifest_is_known_after_a_restart(live: LiveGateway, cleared: str) -> None:
    """By the digest that a client was told before, which is asked for by no tag."""
    with live.client("admin") as client:
        attested_by_others(client, cleared)
        told = client.get(f"/v2/{REPOSITORY}/manifests/{tag_of(cleared)}").content
    with started_again(live) as client:
        answer = client.get(f"/v2/{REPOSITORY}/manifests/{Digest.of(told)}")
    assert (answer.status_code, answer.content) == (200, told)
