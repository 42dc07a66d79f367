"""An upload behind two nodes: any of them serves any request of it, and it goes on when one has gone."""

import asyncio
import os
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from registry.app import build
from registry.config.storage import StorageSettings
from registry.content.upload_ids import UploadIds
from registry.database.postgres import Database
from registry.metadata.identity import identity
from registry.oci.digest import Digest
from registry.storage.blob_store import Opening
from tests.halfway import HalfwayUpload
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto, names_in
from tests.repository import Repository, code_of
from tests.servers import LiveRegistry, open_settings, running
from tests.waiting import wait_until

FEW, MANY = os.urandom(100), os.urandom(6 << 20)
"""Bytes that are kept in a row, and more than one object has."""
PART = 5 << 20
MOST = 40
"""Uploads that one principal may have open."""


class Nodes(NamedTuple):
    """Two servers over one database and one store."""

    first: LiveRegistry
    second: LiveRegistry

    def names(self) -> list[str]:
        """Of objects that uploads have in the store."""
        settings = self.first.app.settings.current.storage.model_dump()
        return [name for name in names_in(StorageSettings.model_validate(settings)) if name.startswith("uploads/")]

    def claim(self, upload: str, seconds: float) -> None:
        """Have another node's claim in the place of the one that an upload has, behind the backs of both."""
        change = (
            "UPDATE uploads SET holder = 'another', until = extract(epoch FROM clock_timestamp()) + %s WHERE id = %s"
        )
        with Database(self.first.app.settings.current.metadata.url).connect(autocommit=True) as connection:
            connection.execute(change, (seconds, upload[-36:]))

    def lose(self, upload: str, start: int) -> None:
        """Have the rows of an upload's bytes from one on vanish, behind the backs of both."""
        with Database(self.first.app.settings.current.metadata.url).connect(autocommit=True) as connection:
            connection.execute("DELETE FROM upload_pieces WHERE upload_id = %s AND start >= %s", (upload[-36:], start))


@pytest.fixture(scope="module")
def nodes(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Each with a data folder of its own."""
    folder = tmp_path_factory.mktemp("shared")
    groups: dict[str, Any] = {
        "storage": moto().settings(folder / "keys", part_bytes=PART),
        "metadata": postgres.settings(),
        "uploads": {"lease_seconds": 0.5, "sessions_per_principal": MOST},
    }
    with (
        running(build(open_settings(folder / "first", **groups))) as first,
        running(build(open_settings(folder / "second", **groups))) as second,
    ):
        yield Nodes(first, second)


@pytest.fixture
def here(nodes: Nodes) -> Iterator[httpx.Client]:
    """Somebody at the first."""
    with nodes.first.client() as client:
        yield client


@pytest.fixture
def there(nodes: Nodes) -> Iterator[httpx.Client]:
    """Somebody at the second."""
    with nodes.second.client() as client:
        yield client


@pytest.fixture
def upload(here: httpx.Client) -> str:
    """The path of an upload that was opened at the first."""
    return Repository(here, "team/app").open_upload()


def held(client: httpx.Client, upload: str) -> str:
    """What a node says of how far an upload has come."""
    return str(client.get(upload).headers["range"])


@pytest.mark.parametrize("chunk", [FEW, MANY], ids=["few", "many"])
def test_each_chunk_may_go_to_another_node(here: httpx.Client, there: httpx.Client, upload: str, chunk: bytes) -> None:
    """And the last request to either; both serve the blob."""
    for number, (client, other) in enumerate([(here, there), (there, here), (here, there)]):
        place = f"{number * len(chunk)}-{(number + 1) * len(chunk) - 1}"
        answer = client.patch(upload, content=chunk, headers={"Content-Range": place})
        assert (answer.status_code, held(other, upload)) == (202, answer.headers["range"])
    ended = there.put(upload, params={"digest": Digest.of(chunk * 3)})
    assert ended.status_code == 201
    assert here.get(ended.headers["location"]).content == chunk * 3


@pytest.mark.parametrize("size", [0, 100, 1 << 20])
def test_the_last_bytes_may_go_to_another_node(there: httpx.Client, upload: str, size: int) -> None:
    """Of an upload that has no byte yet."""
    content = os.urandom(size)
    ended = there.put(upload, params={"digest": Digest.of(content)}, content=content)
    assert ended.status_code == 201
    assert there.get(ended.headers["location"]).content == content


def test_a_last_request_comes_again_elsewhere(here: httpx.Client, there: httpx.Client, upload: str) -> None:
    """It is answered as the first time; with another digest, and to other requests, the upload is unknown."""
    here.patch(upload, content=FEW)
    ended = [client.put(upload, params={"digest": Digest.of(FEW)}) for client in (here, there, here)]
    assert [answer.status_code for answer in ended] == [201, 201, 201]
    others = [there.put(upload, params={"digest": Digest.of(b"")}), there.get(upload), there.patch(upload, content=FEW)]
    assert {code_of(answer) for answer in others} == {"BLOB_UPLOAD_UNKNOWN"}


def test_a_wrong_offset_is_told_elsewhere(here: httpx.Client, there: httpx.Client, upload: str) -> None:
    """With how far the upload has come."""
    here.patch(upload, content=FEW)
    answer = there.patch(upload, content=FEW, headers={"Content-Range": "5-104"})
    assert (answer.status_code, answer.headers["range"]) == (416, f"0-{len(FEW) - 1}")


def test_a_cancelled_upload_is_unknown_everywhere(here: httpx.Client, there: httpx.Client, upload: str) -> None:
    """Whoever cancels it."""
    here.patch(upload, content=FEW)
    assert there.delete(upload).status_code == 204
    assert [client.patch(upload, content=FEW).status_code for client in (here, there)] == [404, 404]


def test_a_cancelled_upload_without_a_byte_is_unknown_everywhere(
    here: httpx.Client, there: httpx.Client, upload: str
) -> None:
    """As is one whose bytes had another digest."""
    wrong = Repository(here, "team/app").open_upload()
    assert there.delete(upload).status_code == 204
    assert there.put(wrong, params={"digest": Digest.of(b"other")}, content=FEW).status_code == 400
    answers = [client.get(path) for client in (here, there) for path in (upload, wrong)]
    assert {code_of(answer) for answer in answers} == {"BLOB_UPLOAD_UNKNOWN"}


def test_an_upload_without_a_byte_is_nothing_but_its_id(nodes: Nodes, here: httpx.Client, upload: str) -> None:
    """A node that was asked for it holds nothing of it a moment later."""
    assert held(here, upload) == "0-0"
    uploads = nodes.first.app.services.uploads.open
    wait_until(lambda: uploads.get(upload.rpartition("/")[2]) is None)
    assert held(here, upload) == "0-0"


def test_an_upload_without_a_byte_expires(nodes: Nodes, here: httpx.Client) -> None:
    """Its id says when it was opened."""
    store = nodes.first.app.services.stores.metadata.read_now(identity).id
    old = UploadIds(store).new(Opening("team/app", "sha256", "", time.time() - 8 * 86_400))
    assert here.get(f"/v2/team/app/blobs/uploads/{old}").status_code == 404


@pytest.mark.parametrize("size", [100, 1 << 20])
def test_two_that_bring_an_upload_whole_both_have_it(
    here: httpx.Client, there: httpx.Client, upload: str, size: int
) -> None:
    """At two nodes at once: neither waits for the other; and once more afterwards."""
    content = os.urandom(size)
    put = partial(_put, upload, content)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(put, (here, there, here, there)))
    assert [*answers, put(here), put(there)] == [201] * 6


def _put(upload: str, content: bytes, client: httpx.Client) -> int:
    return client.put(upload, params={"digest": Digest.of(content)}, content=content).status_code


def test_another_repository_has_no_such_upload(there: httpx.Client, upload: str) -> None:
    """Nor is an id that nobody was given one."""
    wrong = [upload.replace("team/app", "team/other"), f"/v2/team/app/blobs/uploads/{uuid.uuid4()}", f"{upload}%00"]
    assert {code_of(there.patch(path, content=FEW)) for path in wrong} == {"BLOB_UPLOAD_UNKNOWN"}


def test_nothing_stays_of_what_is_over(nodes: Nodes, here: httpx.Client, there: httpx.Client) -> None:
    """Neither objects of pieces nor files of a node, of uploads that ended at the other."""
    for end in ("put", "delete"):
        upload = Repository(here, "team/over").open_upload()
        here.patch(upload, content=MANY)
        assert len([name for name in nodes.names() if upload.rpartition("/")[2] in name]) == 2
        getattr(there, end)(upload, params={"digest": Digest.of(MANY)})
        wait_until(lambda upload=upload: not [name for name in nodes.names() if upload.rpartition("/")[2] in name])  # type: ignore[misc]
        for node in nodes:
            wait_until(lambda node=node, upload=upload: not _files(node, upload))  # type: ignore[misc]


def _files(node: LiveRegistry, upload: str) -> list[Path]:
    return [path for path in node.data.rglob(upload.rpartition("/")[2]) if path.exists()]


def test_what_came_before_a_line_broke_is_kept(here: httpx.Client, there: httpx.Client, upload: str) -> None:
    """And the client goes on at the other node."""

    def cut() -> Iterator[bytes]:
        yield MANY
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        here.patch(upload, content=cut())
    wait_until(lambda: held(there, upload) != "0-0")
    size = int(held(there, upload).partition("-")[2]) + 1
    rest = MANY[size:]
    ended = there.put(upload, params={"digest": Digest.of(MANY)}, content=rest)
    assert (0 < size <= len(MANY), ended.status_code) == (True, 201)


def test_a_node_that_is_gone_loses_its_upload(nodes: Nodes, there: httpx.Client, upload: str) -> None:
    """When its claim has ended, another goes on."""
    assert there.patch(upload, content=FEW).status_code == 202
    nodes.claim(upload, 1.0)
    answer = there.put(upload, params={"digest": Digest.of(FEW * 2)}, content=FEW)
    assert answer.status_code == 201


def test_bytes_of_a_lost_claim_do_not_count(nodes: Nodes, there: httpx.Client, upload: str) -> None:
    """The request that has brought them is told so; whoever has the claim goes on."""
    half = HalfwayUpload(f"{nodes.first.url}{upload}", method="PATCH")
    wait_until(lambda: nodes.first.app.services.uploads.open.running > 0)
    nodes.claim(upload, 0.0)
    assert half.go_on() in {0, 503}
    assert held(there, upload) == "0-0"
    assert there.patch(upload, content=FEW).status_code == 202


def test_a_silent_client_makes_way_for_another_request(nodes: Nodes, there: httpx.Client, upload: str) -> None:
    """Also at another node: its claim is not renewed while nothing comes."""
    half = HalfwayUpload(f"{nodes.first.url}{upload}", method="PATCH")
    wait_until(lambda: nodes.first.app.services.uploads.open.running > 0)
    assert there.put(upload, params={"digest": Digest.of(FEW)}, content=FEW).status_code == 201
    assert half.go_on() != 202


def test_a_node_lets_go_of_bytes_that_another_has_received_otherwise(
    nodes: Nodes, here: httpx.Client, there: httpx.Client, upload: str
) -> None:
    """It has some of a request that fell silent, and goes on with what was acknowledged."""
    half, content = HalfwayUpload(f"{nodes.first.url}{upload}", method="PATCH"), os.urandom(20_000)
    wait_until(lambda: nodes.first.app.services.uploads.open.running > 0)
    assert there.patch(upload, content=content).status_code == 202
    ended = here.put(upload, params={"digest": Digest.of(content)})
    half.go_on()
    assert (ended.status_code, here.get(f"/v2/team/app/blobs/{Digest.of(content)}").content) == (201, content)


@pytest.mark.parametrize("start", [0, len(FEW)], ids=["all", "the last"])
def test_bytes_that_were_lost_end_an_upload(
    nodes: Nodes, here: httpx.Client, there: httpx.Client, upload: str, start: int
) -> None:
    """A node that cannot fetch what was acknowledged says so, and does not ask for it without end."""
    for _ in range(2):
        assert here.patch(upload, content=FEW).status_code == 202
    nodes.lose(upload, start)
    answer = there.patch(upload, content=FEW, timeout=20)
    assert (answer.status_code, code_of(answer)) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_a_principal_has_so_many_uploads_on_all_nodes(nodes: Nodes, here: httpx.Client, there: httpx.Client) -> None:
    """Those of both count, from their first byte on."""
    clients = (here, there) * (MOST // 2 + 1)
    opened = [Repository(client, "team/many").open_upload() for client in clients]
    begun = [client.patch(path, content=FEW).status_code for client, path in zip(clients, opened, strict=True)]
    for path in opened:
        there.delete(path)
    assert (begun[0], begun[-2:]) == (202, [503, 503])


def test_what_nobody_goes_on_with_is_forgotten(nodes: Nodes, here: httpx.Client, upload: str) -> None:
    """By the node that leads; and its file, by the node that has it."""
    here.patch(upload, content=MANY)
    for node in nodes:
        asyncio.run(node.app.services.uploads.expire(time.time() + 8 * 86_400))
    assert here.get(upload).status_code == 404
    wait_until(lambda: not _files(nodes.first, upload))
