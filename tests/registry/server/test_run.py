"""A running server: signals, and an orderly end."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.oci.digest import Digest
from tests.halfway import HalfwayUpload
from tests.registry.server.alone import Alone, alone
from tests.repository import Repository


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Alone]:
    """A server in a process of its own."""
    with alone(tmp_path) as running:
        yield running


def test_a_running_upload_is_finished_before_the_end(server: Alone) -> None:
    """SIGTERM in the middle of an upload: it still gets its 201, and then the server ends with exit code 0."""
    with server.client() as client:
        upload = HalfwayUpload(server.url + Repository(client, "a").open_upload())
        while "basegate_requests_running 2" not in client.get("/metrics").text:
            pass
    server.process.terminate()
    assert upload.go_on() == 201
    assert server.process.wait(60) == 0


def test_sighup_applies_live_settings(server: Alone) -> None:
    """A live setting counts at once, another is named in the log; an upload that is under way goes on."""
    with server.client() as client:
        repository = Repository(client, "a")
        location = repository.open_upload()
        client.patch(location, content=b"before")
        server.file.write_text("manifests: {deletes: false}\nstorage: {threads: 3}")
        server.serving.reload()
        assert "storage.threads" in server.serving.logged("settings reloaded")[0]
        assert repository.delete("manifests/v1").status_code == 405
        query = {"digest": Digest.of(b"beforeafter")}
        assert client.put(location, params=query, content=b"after").status_code == 201


def test_limits_of_connections_follow(server: Alone) -> None:
    """The largest head counts for new connections, and those that are idle are ended at the new time."""
    large = {"X-Large": "x" * 2000}
    with server.client() as before, socket.create_connection(server.address, timeout=30) as idle:
        assert before.get("/v2/", headers=large).status_code == 200
        server.file.write_text("server: {head_bytes: 1024, keep_alive_seconds: 1, shutdown_seconds: 9}")
        server.serving.reload()
        assert "need_a_restart=[]" in server.serving.logged("settings reloaded")[0]
        with server.client() as after:
            assert after.get("/v2/", headers=large).status_code == 431
        assert idle.recv(1) == b""


def test_an_open_registry_warns_once(tmp_path: Path) -> None:
    """When it starts on an address that is not spelt as this machine's; a reload that leaves it open says no more."""
    # This spelling of 127.0.0.1 counts as a name, so that the test opens nothing to anybody.
    (tmp_path / "data").mkdir(mode=0o700)  # a folder that others can read is warned of as well
    with alone(tmp_path, listen="127.1:0") as server:
        server.file.write_text("limits: {tags_page: 5}")
        server.serving.reload()
        server.serving.logged("settings reloaded")
    lines = server.serving.log.read_text(encoding="utf-8").splitlines()
    warned = [line for line in lines if "[warning" in line]
    assert ["auth.required is false" in line for line in warned] == [True, False, False]
