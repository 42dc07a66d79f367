"""Settings and certificates that change on disk under a running server."""

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from registry.app import build
from registry.cli.certificate_authority import Certificates, make_certificates
from registry.config.settings import RegistrySettings
from registry.config.sources import load
from tests.servers import LiveRegistry, running


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """A lab CA and what it signed."""
    return make_certificates(tmp_path / "data")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The settings file."""
    return tmp_path / "basegate.yaml"


@pytest.fixture
def live(tmp_path: Path, file: Path, certificates: Certificates) -> Iterator[LiveRegistry]:
    """A server over TLS that follows its files."""
    flags = {"data": tmp_path / "data", "listen": "127.0.0.1:0", "auth.required": False, "log.level": "error"}
    file.write_text(_naming(certificates))

    def read() -> RegistrySettings:
        return load(RegistrySettings, file, flags, {})

    with running(build(read()), read, [file]) as live:
        yield live


def _naming(certificates: Certificates, more: str = "") -> str:
    """A settings file over TLS."""
    return f"tls_cert: '{certificates.certificate}'\ntls_key: '{certificates.key}'\n{more}"


def _put(file: Path, text: str) -> None:
    """Replace a file, so that nobody reads a part of it."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)


def _eventually(holds: Callable[[], bool]) -> None:
    """Ask until it holds; the test's time limit is the only clock."""
    while not holds():
        time.sleep(0.02)


def _client(live: LiveRegistry, certificates: Certificates) -> httpx.Client:
    return live.client(verify=ssl.create_default_context(cafile=certificates.ca))


def _serial(live: LiveRegistry) -> str:
    """What a new connection is shown."""
    host, port = live.host.rsplit(":", 1)
    return ssl.get_server_certificate((host, int(port)))


@pytest.mark.parametrize("renamed", [True, False])
def test_a_changed_settings_file_is_noticed(
    live: LiveRegistry, file: Path, certificates: Certificates, *, renamed: bool
) -> None:
    """Written in place, or renamed over as editors do."""
    target = file.with_suffix(".new") if renamed else file
    target.write_text(_naming(certificates, "manifests: {deletes: false}"))
    target.replace(file)
    with _client(live, certificates) as client:
        _eventually(lambda: client.delete("/v2/a/manifests/v1").status_code == 405)


def test_a_broken_settings_file_changes_nothing(live: LiveRegistry, file: Path, certificates: Certificates) -> None:
    """The log names the key, once; the server goes on as before."""
    with capture_logs() as logged:
        _put(file, _naming(certificates, "manifests: {deletes: maybe}"))
        _eventually(lambda: bool(logged))
    assert "manifests.deletes" in logged[0]["reason"]
    with _client(live, certificates) as client:
        assert client.delete("/v2/a/manifests/v1").status_code == 404


def test_opening_a_registry_to_the_network_warns(tmp_path: Path, file: Path) -> None:
    """When a reload switches signing in off on an address that is not spelt as this machine's."""

    def read() -> RegistrySettings:
        # This spelling of 127.0.0.1 counts as a name, so that the test opens nothing to anybody.
        return load(RegistrySettings, file, {"data": tmp_path / "data", "listen": "127.1:0"}, {})

    file.touch()
    with running(build(read()), read, [file]), capture_logs() as logged:
        file.write_text("auth: {required: false}")
        _eventually(lambda: any("auth.required is false" in str(line.get("reason")) for line in logged))


def test_a_renewed_certificate_serves_new_connections(live: LiveRegistry, certificates: Certificates) -> None:
    """An open connection goes on undisturbed."""
    before = _serial(live)
    with _client(live, certificates) as open_before:
        assert open_before.get("/v2/").status_code == 200
        make_certificates(live.data)
        _eventually(lambda: _serial(live) != before)
        assert open_before.get("/v2/").status_code == 200
    with _client(live, certificates) as fresh:
        assert fresh.get("/v2/").status_code == 200


def test_a_broken_certificate_changes_nothing(live: LiveRegistry, certificates: Certificates) -> None:
    """The old one stays in use, and the log says so."""
    before = _serial(live)
    with capture_logs() as logged:
        certificates.certificate.write_text("broken")
        _eventually(lambda: bool(logged))
    assert "cannot be used" in logged[0]["reason"]
    assert _serial(live) == before


def test_other_files_may_be_named(live: LiveRegistry, file: Path, certificates: Certificates, tmp_path: Path) -> None:
    """They serve new connections, an open one goes on; and from then on it is they that are followed."""
    other = make_certificates(tmp_path / "other")
    with _client(live, certificates) as open_before:
        open_before.get("/v2/")
        _put(file, _naming(other))
        _eventually(lambda: _serial(live) == other.certificate.read_text())
        assert open_before.get("/v2/").status_code == 200
    make_certificates(tmp_path / "other")
    _eventually(lambda: _serial(live) == other.certificate.read_text())
    with _client(live, other) as fresh:
        assert fresh.get("/v2/").status_code == 200


def test_other_files_that_cannot_be_used_change_nothing(
    live: LiveRegistry, file: Path, certificates: Certificates
) -> None:
    """Nor does anything else of the settings that name them; the log says so."""
    before = _serial(live)
    with capture_logs() as logged:
        missing = _naming(certificates, "manifests: {deletes: false}").replace("server.crt", "nowhere.crt")
        _put(file, missing)
        _eventually(lambda: bool(logged))
    assert "nowhere.crt" in logged[0]["reason"]
    assert _serial(live) == before
    with _client(live, certificates) as client:
        assert client.delete("/v2/a/manifests/v1").status_code == 404
