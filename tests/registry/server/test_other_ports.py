"""An extension's port of its own: served over TLS beside the registry, recorded like it, its certificate renewed."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from registry.app import build
from registry.cli.certificate_authority import make_certificates
from registry.config.settings import RegistrySettings
from registry.extension import Extension, Port
from registry.server.other_port import OtherPort
from registry.server.startup import CannotStart
from tests.ports import free_port
from tests.servers import LiveRegistry, open_settings, running


def worded(status: int, message: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The other port's own form of errors."""
    return [(b"content-type", b"text/plain")], f"other {status} {message}".encode()


def port_at(address: str, data: Path) -> Port:
    """A port that answers everything with one word."""
    files = (data / "tls/server.crt", data / "tls/server.key")
    return Port(address, PlainTextResponse("other"), lambda _settings: files, worded)


@contextmanager
def live(data: Path, address: str, **groups: Any) -> Iterator[LiveRegistry]:
    """A registry with such a port."""
    make_certificates(data)
    extension = Extension(ports=lambda _services: (port_at(address, data),))
    with running(build(open_settings(data, **groups), extension=lambda _stores: extension)) as registry:
        yield registry


@pytest.fixture
def address() -> str:
    """A free one."""
    return f"127.0.0.1:{free_port()}"


def client_of(data: Path, address: str) -> httpx.Client:
    """Trusts the lab's authority."""
    trust = ssl.create_default_context(cafile=data / "tls/ca.crt")
    return httpx.Client(base_url=f"https://{address}", verify=trust, trust_env=False)


def test_both_are_served(tmp_path: Path, address: str) -> None:
    """Each by its own application, this one over TLS though the registry is not."""
    with live(tmp_path, address) as registry, client_of(tmp_path, address) as client:
        assert client.get("/anything").text == "other"
        assert httpx.get(f"{registry.url}/v2/").status_code == 200


def test_its_requests_are_recorded(tmp_path: Path, address: str) -> None:
    """With an id, and in the metrics."""
    with live(tmp_path, address) as registry, client_of(tmp_path, address) as client:
        assert client.get("/anything").headers["x-request-id"]
        assert 'status="200"' in httpx.get(f"{registry.url}/metrics").text


def test_the_server_speaks_its_form(tmp_path: Path, address: str) -> None:
    """Where no request could be read."""
    with live(tmp_path, address, server={"head_bytes": 1024}), client_of(tmp_path, address) as client:
        assert client.get("/anything", headers={"x": "y" * 2000}).text.startswith("other 431")


def test_an_address_that_is_taken_is_said(tmp_path: Path, address: str) -> None:
    """In one line."""
    with live(tmp_path, address), pytest.raises(CannotStart, match="cannot listen"):
        OtherPort(port_at(address, tmp_path), RegistrySettings(data=tmp_path))


def test_other_files_serve_the_connections_that_come_then(tmp_path: Path, address: str) -> None:
    """When the settings name them; files that cannot be used are refused with the settings."""
    make_certificates(tmp_path)
    other = OtherPort(port_at(address, tmp_path), RegistrySettings(data=tmp_path))
    make_certificates(tmp_path / "new")
    moved = OtherPort(port_at(f"127.0.0.1:{free_port()}", tmp_path / "new"), RegistrySettings(data=tmp_path))
    other.port = moved.port
    turn = other.reload(RegistrySettings(data=tmp_path), lambda: None)
    assert turn is not None
    turn()
    assert other.certificate.files == moved.certificate.files
    other.listening.close()
    moved.listening.close()
