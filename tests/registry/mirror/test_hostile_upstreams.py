"""Upstreams that lie, cut, stall, lead elsewhere, or send without end: a clear answer, and nothing stored."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from registry.oci import media_types
from registry.oci.digest import Digest
from tests.hostile_server import STALL, Heard, answer, hostile
from tests.registry.mirror.site import NAME, code, message, upstream_settings
from tests.servers import LiveRegistry, open_registry

LAYER = bytes(range(256)) * 4096
CONFIG = b"{}"
Blob = Callable[[Heard], Iterable[bytes]]


def manifest(size: int = len(LAYER)) -> bytes:
    """An image over the layer, which is said to have that size."""
    parts = [
        {"mediaType": media_types.OCI_CONFIG, "digest": Digest.of(CONFIG), "size": len(CONFIG)},
        {"mediaType": media_types.OCI_LAYER, "digest": Digest.of(LAYER), "size": size},
    ]
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": parts[0], "layers": parts[1:]}
    return json.dumps(document).encode()


def having(blob: Blob, raw: bytes | None = None) -> Callable[[Heard], Iterable[bytes]]:
    """An upstream that is honest but for one layer, or its manifest."""

    def answers(heard: Heard) -> Iterable[bytes]:
        if "/manifests/" in heard.path:
            return [answer("200 OK", raw if raw is not None else manifest(), Content_Type=media_types.OCI_MANIFEST)]
        return [answer("200 OK", CONFIG)] if Digest.of(CONFIG) in heard.path else blob(heard)

    return answers


@contextmanager
def in_front_of(answers: Callable[[Heard], Iterable[bytes]], folder: Path) -> Iterator[LiveRegistry]:
    """A registry with such an upstream."""
    with hostile(answers) as server:
        entry = upstream_settings(server.host, silence_seconds=0.5, image_bytes=1 << 30)
        with open_registry(folder, upstreams=[entry]) as live:
            yield live


def refusal(live: LiveRegistry) -> httpx.Response:
    """What a client is told; nothing of the image is here then."""
    with live.client() as client:
        answered = client.get(f"/v2/{NAME}/manifests/v1")
        assert client.get(f"/v2/{NAME}/blobs/{Digest.of(LAYER)}").status_code == 404
        assert client.get("/v2/_catalog").json()["repositories"] in ([], [NAME])
        assert client.get(f"/v2/{NAME}/manifests/{Digest.of(manifest())}").status_code in {404, 503}
    assert not any(file.stat().st_size > len(LAYER) for file in (live.data / "blobs").rglob("*") if file.is_file())
    return answered


LIES: dict[str, tuple[Blob, str]] = {
    "other bytes": (lambda _: [answer("200 OK", LAYER[::-1])], "other bytes"),
    "too short": (lambda _: [answer("200 OK", LAYER[:-1])], "the manifest says"),
    "too long": (lambda _: [answer("200 OK", LAYER + b"x")], "the manifest says"),
    "100 GB": (lambda _: [answer("200 OK", LAYER, Content_Length=str(100 << 30))], "the manifest says"),
    "cut": (lambda _: [answer("200 OK", LAYER)[:100]], "broke the connection off"),
    "stalled": (lambda _: [answer("200 OK", LAYER)[:100], STALL], "silent"),
    "gone": (lambda _: [answer("404 Not Found")], "has no blob"),
    "failing": (lambda _: [answer("500 Internal Server Error")], "try again"),
    "elsewhere": (lambda _: [answer("307 Temporary Redirect", Location="ftp://x/y")], "only https"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_layer_that_does_not_come(tmp_path: Path, lie: str) -> None:
    """The client hears what the upstream did; not the shadow of the image is here."""
    blob, words = LIES[lie]
    with in_front_of(having(blob), tmp_path) as live:
        answered = refusal(live)
    assert (answered.status_code, code(answered)) in {(503, "UNAVAILABLE"), (404, "MANIFEST_UNKNOWN")}
    assert words in message(answered)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<html>", "manifest invalid"),
        (manifest(100 << 30), "raise image_bytes"),
        (b'{"schemaVersion": 1}', "schema version 1"),
        (bytes(5 << 20), "more than"),
    ],
    ids=["no manifest", "100 GB", "schema 1", "5 MiB"],
)
def test_a_manifest_that_is_not_taken(tmp_path: Path, raw: bytes, words: str) -> None:
    """No blob is asked for then."""
    with in_front_of(having(lambda _: [STALL], raw), tmp_path) as live:
        answered = refusal(live)
    assert (answered.status_code, code(answered)) == (503, "UNAVAILABLE")
    assert words in message(answered)


@pytest.mark.parametrize("lie", ["too short", "100 GB", "gone"])
def test_what_never_comes_leaves_no_session(tmp_path: Path, lie: str) -> None:
    """There are only so many of them for all upstreams together."""
    with in_front_of(having(LIES[lie][0]), tmp_path) as live:
        refusal(live)
        with closing(sqlite3.connect(live.data / "registry.db")) as rows:
            left = rows.execute("SELECT * FROM mirror_fetches").fetchall()
        sessions = [file for file in (live.data / "uploads").rglob("*") if file.is_file()]
    assert (left, sessions) == ([], [])


def test_an_upstream_that_wants_credentials(tmp_path: Path) -> None:
    """Its refusal is not the client's: no challenge of it is handed on."""
    with in_front_of(lambda _: [answer("401 Unauthorized", WWW_Authenticate='Basic realm="r"')], tmp_path) as live:
        answered = refusal(live)
    assert (answered.status_code, "www-authenticate" in answered.headers) == (503, False)


def test_a_refusal_is_remembered_for_a_moment(tmp_path: Path) -> None:
    """Clients that come in a row do not ask the upstream again each."""
    with hostile(having(lambda _: [answer("200 OK", LAYER[::-1])])) as server:
        entry = upstream_settings(server.host, retry_seconds=60)
        with open_registry(tmp_path, upstreams=[entry]) as live, live.client() as client:
            answers = [client.get(f"/v2/{NAME}/manifests/v1").text for _ in range(5)]
        assert len(set(answers)) == 1
        assert len([heard for heard in server.heard if "/manifests/" in heard.path]) == 1


MANY = 4_100


def two_images(heard: Heard) -> Iterable[bytes]:
    """An upstream whose v2 has thousands of layers that never come; its v1 is well."""
    parts = [{"mediaType": media_types.OCI_LAYER, "digest": Digest.of(b"%d" % each), "size": 5} for each in range(MANY)]
    config = {"mediaType": media_types.OCI_CONFIG, "digest": Digest.of(CONFIG), "size": len(CONFIG)}
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": config, "layers": parts}
    if heard.path.endswith("/manifests/v2"):
        return [answer("200 OK", json.dumps(document).encode(), Content_Type=media_types.OCI_MANIFEST)]
    known = {Digest.of(LAYER): LAYER, Digest.of(CONFIG): CONFIG}
    blob = known.get(Digest(heard.path.rpartition("/")[2]))
    return having(lambda _: [STALL] if blob is None else [answer("200 OK", blob)])(heard)


def test_an_image_of_thousands_of_layers_stops_no_other(tmp_path: Path) -> None:
    """It waits for its layers; another image of the same upstream comes meanwhile."""
    with hostile(two_images) as server:
        entry = upstream_settings(server.host, silence_seconds=60, wait_seconds=1)
        with open_registry(tmp_path, upstreams=[entry]) as live, live.client() as client:
            assert code(client.get(f"/v2/{NAME}/manifests/v2")) == "UNAVAILABLE"
            answers = [client.get(f"/v2/{NAME}/manifests/v1") for _ in range(10)]
    assert {each.content for each in answers if each.status_code == 200} == {manifest()}
    assert all("pending" in each.text for each in answers if each.status_code != 200)
