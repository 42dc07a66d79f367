"""An upstream whose content lies elsewhere, as behind a CDN: the registry goes there, and leads no client there."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest

from registry.oci import media_types
from registry.oci.digest import Digest
from tests.hostile_server import Heard, HostileServer, answer, hostile
from tests.registry.mirror.site import NAME, upstream_settings
from tests.servers import open_registry

LAYER, CONFIG = b"layer" * 1000, b"{}"
SIGNED_IN = "Basic YWxpY2U6c2VjcmV0"


def manifest() -> bytes:
    """An image of one layer."""
    config = {"mediaType": media_types.OCI_CONFIG, "digest": Digest.of(CONFIG), "size": len(CONFIG)}
    layer = {"mediaType": media_types.OCI_LAYER, "digest": Digest.of(LAYER), "size": len(LAYER)}
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": config, "layers": [layer]}
    return json.dumps(document).encode()


def held(heard: Heard) -> Iterable[bytes]:
    """What lies elsewhere."""
    if "/manifests/" in heard.path:
        return [answer("200 OK", manifest(), Content_Type=media_types.OCI_MANIFEST)]
    return [answer("200 OK", LAYER if Digest.of(LAYER) in heard.path else CONFIG)]


@pytest.fixture
def elsewhere() -> Iterator[HostileServer]:
    """Where everything lies."""
    with hostile(held) as server:
        yield server


@pytest.fixture
def upstream(elsewhere: HostileServer) -> Iterator[HostileServer]:
    """A registry for alice that leads there, with a cookie and a signature in the address."""

    def led(heard: Heard) -> Iterable[bytes]:
        if heard.headers.get("authorization") != SIGNED_IN:
            return [answer("401 Unauthorized", WWW_Authenticate='Basic realm="theirs"')]
        place = f"http://{elsewhere.host}{heard.path}?sig=theirs"
        return [answer("307 Temporary Redirect", Location=place, Set_Cookie="theirs=1")]

    with hostile(led) as server:
        yield server


@pytest.fixture
def client(upstream: HostileServer, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client, which follows nothing, of a registry in front of it."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"auths": {upstream.host: {"auth": SIGNED_IN.partition(" ")[2]}}}))
    entry = upstream_settings(upstream.host, credentials=str(file))
    with open_registry(tmp_path / "data", upstreams=[entry]) as live, live.client(follow_redirects=False) as made:
        yield made


def test_no_client_is_led_there(client: httpx.Client, elsewhere: HostileServer) -> None:
    """Manifest and blobs come from here, with nothing of the upstream's in their headers."""
    paths = ("manifests/v1", f"blobs/{Digest.of(LAYER)}", f"blobs/{Digest.of(CONFIG)}")
    answers = [client.get(f"/v2/{NAME}/{path}") for path in paths]
    assert [each.status_code for each in answers] == [200] * 3
    assert [each.content for each in answers] == [manifest(), LAYER, CONFIG]
    assert not {"location", "set-cookie", "www-authenticate", "authorization"} & {
        *answers[0].headers,
        *answers[1].headers,
    }
    assert not [word for word in ("theirs", elsewhere.host) if word in str([each.headers.raw for each in answers])]


def test_no_credential_goes_there(client: httpx.Client, upstream: HostileServer, elsewhere: HostileServer) -> None:
    """The upstream has them, and nobody else."""
    client.get(f"/v2/{NAME}/manifests/v1").raise_for_status()
    assert SIGNED_IN in [heard.headers.get("authorization") for heard in upstream.heard]
    assert {heard.headers.get("authorization") for heard in elsewhere.heard} == {None}
