"""The health check of the container: over HTTP and TLS, and what it says of a server that does not answer."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from registry.cli.certificate_authority import make_certificates
from registry.server.healthcheck import main
from tests.servers import LiveRegistry, open_registry


def _asked(live: LiveRegistry, **variables: str) -> int:
    port = live.host.rpartition(":")[2]
    return main({"BASEGATE_LISTEN": f"0.0.0.0:{port}"} | variables)


def test_a_server_answers(tmp_path: Path) -> None:
    """Whichever way is tried first."""
    with open_registry(tmp_path) as live:
        assert _asked(live) == 0
        assert _asked(live, BASEGATE_TLS_CERT="/somewhere/server.crt") == 0


def test_a_server_answers_over_tls(tmp_path: Path) -> None:
    """Its certificate is not looked at; a settings file may have named it, so that the environment says nothing."""
    made = make_certificates(tmp_path)
    with open_registry(tmp_path / "data", tls_cert=made.certificate, tls_key=made.key) as live:
        assert _asked(live, BASEGATE_TLS_CERT=str(made.certificate)) == 0
        assert _asked(live) == 0


@pytest.mark.parametrize("listen", ["127.0.0.1:{}", "[::]:{}", ":{}", "localhost:{}"])
def test_nobody_answers(listen: str) -> None:
    """Exit code 1, at once, in every form of an address."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        assert main({"BASEGATE_LISTEN": listen.format(silent.getsockname()[1])}) == 1


def test_it_is_a_program(tmp_path: Path) -> None:
    """As the image runs it."""
    with open_registry(tmp_path) as live:
        command = [sys.executable, "-m", "registry.server.healthcheck"]
        assert subprocess.run(command, env={"BASEGATE_LISTEN": live.host}, check=False).returncode == 0
