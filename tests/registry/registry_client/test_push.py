"""Writing to real registries."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from registry.registry_client.client import RegistryClient
from registry.registry_client.errors import Unreachable, Unusable
from registry.registry_client.push import Content
from registry.registry_client.unfinished_uploads import UnfinishedUploads
from tests.hostile_server import Heard, answer, hostile
from tests.other_registries import distribution
from tests.registry.registry_client.clients import APP, with_client
from tests.repository import Repository
from tests.servers import open_registry

LAYER = os.urandom(3 << 20)
DIGEST = Digest.of(LAYER)
PLACE = f"/v2/{APP}/blobs/uploads/"


def pieces(content: bytes) -> Content:
    """Content in pieces."""

    async def begin(start: int) -> AsyncIterator[bytes]:
        for at in range(start, len(content), 1 << 20):
            yield content[at : at + (1 << 20)]

    return begin


@pytest.fixture(params=["basegate", "distribution"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[httpx.Client]:
    """A registry to write to, ours and another."""
    with ExitStack() as opened:
        if request.param == "basegate":
            yield opened.enter_context(opened.enter_context(open_registry(tmp_path / "data")).client())
        else:
            yield opened.enter_context(opened.enter_context(distribution(tmp_path / "other")).client())


def host_of(client: httpx.Client) -> str:
    """Where it is."""
    return client.base_url.netloc.decode()


def push(client: httpx.Client, content: bytes = LAYER, digest: Digest = DIGEST) -> None:
    """Send a blob."""
    work = pieces(content)
    with_client(host_of(client), lambda remote: remote.push.blob(APP, digest, len(content), work))


def test_an_image_is_written(target: httpx.Client) -> None:
    """A blob and a manifest over it are there afterwards, byte for byte."""
    push(target)
    document = Repository(target, APP).image_document()
    raw = httpx.Request("PUT", "http://x", json=document).content
    kept = with_client(
        host_of(target), lambda remote: remote.push.manifest(APP, Tag("v1"), raw, media_types.OCI_MANIFEST)
    )
    assert kept == Digest.of(raw)
    assert target.get(f"/v2/{APP}/manifests/v1", headers={"Accept": media_types.OCI_MANIFEST}).content == raw
    assert target.get(f"/v2/{APP}/blobs/{DIGEST}").content == LAYER


def test_an_empty_blob(target: httpx.Client) -> None:
    """A blob of no bytes is written as well."""
    push(target, b"", Digest.of(b""))
    assert target.get(f"/v2/{APP}/blobs/{Digest.of(b'')}").content == b""


def test_a_blob_that_is_there(target: httpx.Client) -> None:
    """It is told before and after."""
    host = host_of(target)
    assert not with_client(host, lambda remote: remote.push.has_blob(APP, DIGEST))
    push(target)
    assert with_client(host, lambda remote: remote.push.has_blob(APP, DIGEST))


def test_a_mount(target: httpx.Client) -> None:
    """A blob of another repository is linked; one that is nowhere has to be sent."""
    push(target)
    other, host = RepositoryName("other/app"), host_of(target)
    assert with_client(host, lambda remote: remote.push.mount(other, DIGEST, APP))
    assert target.head(f"/v2/{other}/blobs/{DIGEST}").status_code == 200
    assert not with_client(host, lambda remote: remote.push.mount(other, Digest.of(b"nowhere"), APP))


def test_a_wrong_digest_is_refused(target: httpx.Client) -> None:
    """The registry's reason reaches the caller."""
    with pytest.raises(Unusable, match=r"(?i)digest"):
        push(target, digest=Digest.of(b"other"))


def test_a_manifest_without_its_blobs(target: httpx.Client) -> None:
    """A registry refuses a manifest over blobs that it does not have."""
    document = Repository(target, APP).image_document()
    document["layers"] = [{"mediaType": media_types.OCI_LAYER, "digest": DIGEST, "size": len(LAYER)}]
    raw = httpx.Request("PUT", "http://x", json=document).content

    async def put(remote: RegistryClient) -> Digest:
        return await remote.push.manifest(APP, Tag("v1"), raw, media_types.OCI_MANIFEST)

    with pytest.raises(Unusable, match=r"(?i)blob|the manifest names"):
        with_client(host_of(target), put)


def test_a_push_that_breaks_goes_on(target: httpx.Client) -> None:
    """When the sender's source breaks in the middle, the rest is sent from where the registry stands."""
    begun: list[int] = []

    async def breaking(start: int) -> AsyncIterator[bytes]:
        begun.append(start)
        async for piece in pieces(LAYER)(start):
            yield piece
            if len(begun) == 1:
                raise httpx.WriteError("cut")

    with_client(host_of(target), lambda remote: remote.push.blob(APP, DIGEST, len(LAYER), breaking))
    assert len(begun) == 2
    assert target.get(f"/v2/{APP}/blobs/{DIGEST}").content == LAYER


@pytest.mark.parametrize(
    "refusal", ["403 Forbidden", "404 Not Found", "405 Method Not Allowed", "500 Internal Server Error"]
)
def test_an_upload_that_a_registry_does_not_go_on_with(tmp_path: Path, refusal: str) -> None:
    """Whatever it says of one that was left unfinished, a new one is begun."""

    def answers(heard: Heard) -> list[bytes]:
        status = {"POST": "202 Accepted", "PUT": "201 Created"}.get(heard.method, refusal)
        return [answer(status, Location="/uploads/new", Connection="close")]

    unfinished = UnfinishedUploads(tmp_path, 0, 1000.0)
    with hostile(answers) as server:
        url, empty = f"http://{server.host}", Digest.of(b"")
        with suppress(ConnectionError), unfinished.sending(url, APP, empty, 0) as left:
            left.keep(f"{url}/uploads/old")
            raise ConnectionError
        with_client(server.host, lambda remote: remote.push.blob(APP, empty, 0, pieces(b"")), unfinished=unfinished)
    assert [each.path.partition("?")[0] for each in server.heard][-3:] == ["/uploads/old", PLACE, "/uploads/new"]


def test_a_registry_that_takes_nothing() -> None:
    """A registry that always breaks off is given up after some attempts."""

    def answers(heard: Heard) -> list[bytes]:
        where = f"/v2/{APP}/blobs/uploads/1"
        if heard.method in {"POST", "GET"}:
            return [answer("202 Accepted", Location=where, Range="0-0")]
        return []

    with hostile(answers) as server, pytest.raises(Unreachable):
        with_client(server.host, lambda remote: remote.push.blob(APP, DIGEST, len(LAYER), pieces(LAYER)))


@pytest.mark.parametrize("cut", ["POST", "PUT"])
def test_a_connection_that_was_closed_just_now(cut: str) -> None:
    """What opens and what closes an upload is asked once more when the connection goes before an answer."""
    cuts = [cut]

    def answers(heard: Heard) -> list[bytes]:
        if heard.method in cuts:
            cuts.remove(heard.method)
            return []
        status = {"POST": "202 Accepted", "PUT": "201 Created"}.get(heard.method, "404 Not Found")
        return [answer(status, Location="/uploads/new", Connection="close")]

    with hostile(answers) as server:
        with_client(server.host, lambda remote: remote.push.blob(APP, Digest.of(b""), 0, pieces(b"")))
    assert [heard.method for heard in server.heard].count(cut) == 2


def test_a_closing_that_was_taken_without_an_answer() -> None:
    """A blob that is there when its upload's closing goes without an answer is not closed again."""

    def answers(heard: Heard) -> list[bytes]:
        if heard.method == "PUT":
            return []
        return [answer("202 Accepted" if heard.method == "POST" else "200 OK", Location="/u", Connection="close")]

    with hostile(answers) as server:
        with_client(server.host, lambda remote: remote.push.blob(APP, Digest.of(b""), 0, pieces(b"")))
    assert [heard.method for heard in server.heard][-2:] == ["PUT", "HEAD"]
