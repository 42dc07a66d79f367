"""Files that cannot be opened and databases that others hold: 503 in the OCI form, and the connection goes on."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.oci.digest import Digest
from tests.registry.server.lines import WAYS, Lines, lines
from tests.repository import Repository, code_of
from tests.servers import open_registry

CONTENT = bytes(200_000)


@pytest.fixture(params=WAYS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lines]:
    """A server that is reached in one of the ways."""
    with lines(tmp_path, request.param) as started:
        yield started


def client_of(server: Lines) -> httpx.Client:
    """An HTTP client of the server's owner."""
    fields = {"Authorization": server.authorization.partition(b": ")[2].decode()}
    return server.live.client(headers=fields, verify=server.trusting or True)


def refuse_opening(patch: pytest.MonkeyPatch, path: Path, number: int) -> None:
    """The operating system refuses this one file."""
    opened = os.open

    def refusing(name: Any, *arguments: Any, **more: Any) -> int:
        if os.fspath(name) == os.fspath(path):
            raise OSError(number, os.strerror(number), os.fspath(path))
        return opened(name, *arguments, **more)

    patch.setattr(os, "open", refusing)


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.EACCES], ids=errno.errorcode.get)
def test_a_blob_that_cannot_be_opened_is_503(server: Lines, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Also when it was handed out before; once it can be opened again, it is served on the same connection."""
    with client_of(server) as client:
        blob = Repository(client, "a").blob(CONTENT)
        where = f"/v2/a/blobs/{blob.digest}"
        assert client.get(where).content == CONTENT
        with monkeypatch.context() as patch:
            refuse_opening(patch, server.live.data / "blobs" / "sha256" / blob.digest[7:9] / blob.digest[7:], number)
            refused = [client.get(where), client.get(where, headers={"Range": "bytes=5-9"})]
        assert {(answer.status_code, code_of(answer)) for answer in refused} == {(503, "UNSUPPORTED")}
        assert refused[0].headers["retry-after"]
        assert client.get(where).content == CONTENT


def test_a_blob_whose_place_cannot_be_looked_at_is_503(server: Lines) -> None:
    """A link that leads in a circle stands for every folder that refuses; in the blob's own place it is no blob."""
    with client_of(server) as client:
        blob = Repository(client, "a").blob(CONTENT)
        folder = server.live.data / "blobs" / "sha256" / blob.digest[7:9]
        folder.rename(server.live.data / "elsewhere")
        folder.symlink_to(folder)
        for method in ("GET", "HEAD"):
            assert client.request(method, f"/v2/a/blobs/{blob.digest}").status_code == 503


def test_a_database_that_another_process_holds_is_503(tmp_path: Path) -> None:
    """After a short while, with when to try again; reads go on meanwhile."""
    with open_registry(tmp_path, storage={"busy_seconds": 0.2}) as live, live.client() as client:
        repository = Repository(client, "a")
        repository.blob(CONTENT)
        with closing(sqlite3.connect(tmp_path / "registry.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            refused = client.put(
                repository.open_upload(), params={"digest": Digest.of(CONTENT[1:])}, content=CONTENT[1:]
            )
            assert client.get("/v2/_catalog").status_code == 200
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
