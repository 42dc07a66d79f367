"""The Dockerfile builds, on a local base and without a network, an image that serves and knows its health."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from policy.testing.container import BasegateContainer
from tests.clients.program import Program
from tests.clients.roster import Daemons
from tests.conftest import TOOLS, missing
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
BASE = TOOLS.parent / "debian-root.tar"
LISTS = ("requirements.txt", "requirements-cluster.txt")
PARTS = ("Dockerfile", ".dockerignore", *LISTS, "pyproject.toml", "README.md", "LICENSE")
OFFLINE = ("--build-arg", "BASE=local-base:test", "--build-arg", "PIP_OPTIONS=--no-index --find-links wheels")
HEALTHY_SECONDS = 60
_COMPILED = """
import os, sys
import policy.cli.serve
known = [(name, getattr(module, "__cached__", None)) for name, module in sys.modules.items()]
sys.exit(", ".join(name for name, cached in known if cached and not os.path.exists(cached)) or None)
"""

pytestmark = [pytest.mark.client("docker", "dockerd"), pytest.mark.root, pytest.mark.xdist_group("docker")]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a fresh clone would give the builder, and the wheels of the pinned requirements."""
    folder = tmp_path_factory.mktemp("context")
    for name in PARTS:
        shutil.copy(ROOT / name, folder / name)
    for name in ("registry", "policy", "config"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LISTS:
        wanted = ("--require-hashes", "--only-binary=:all:", "--requirement", str(ROOT / name))
        download = [sys.executable, "-m", "pip", "download", "--quiet", *wanted, "--dest", str(folder / "wheels")]
        subprocess.run(download, check=True)
    return folder


@pytest.fixture(scope="module")
def docker(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A docker engine that holds the built image as `basegate:test`."""
    if not BASE.exists():
        missing(f"{BASE.name} was not made: `make tools` does, as root, with debootstrap")
    with ExitStack() as until:
        socket = Daemons(tmp_path_factory.mktemp("engine"), until).socket("docker")
        program = Program(("docker", "--host", f"unix://{socket}"), tmp_path_factory.mktemp("home"))
        program.run("import", str(BASE), "local-base:test").check()
        program.run("build", *OFFLINE, "--tag", "basegate:test", str(context)).check()
        yield program


@contextmanager
def _running(docker: Program, *settings: str) -> Iterator[str]:
    """The image, running on the host's loopback, on a read-only root and without capabilities."""
    flags = ("--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")  # noqa: S108
    listen = ("--env", f"BASEGATE_LISTEN=127.0.0.1:{free_port()}", "--health-interval", "1s")
    name = docker.run("run", "--detach", *flags, *listen, *settings, "basegate:test").check().output.split()[-1]
    try:
        yield name
    finally:
        docker.run("rm", "--force", "--volumes", name).check()


@pytest.fixture(scope="module")
def container(docker: Program) -> Iterator[str]:
    """The image, serving plain HTTP."""
    with _running(docker) as name:
        yield name


def _health(docker: Program, container: str) -> str:
    deadline = time.monotonic() + HEALTHY_SECONDS
    while True:
        said = docker.run("inspect", "--format", "{{.State.Health.Status}}", container).check().output.strip()
        if said != "starting" or time.monotonic() > deadline:
            return said
        time.sleep(0.5)


def test_it_becomes_healthy(docker: Program, container: str) -> None:
    """The container serves, on a read-only root without capabilities, and its health check says so."""
    assert _health(docker, container) == "healthy", docker.run("logs", container).output


def test_it_becomes_healthy_over_tls(docker: Program) -> None:
    """With certificates that it made itself into its volume."""
    volume = ("--volume", "basegate-tls:/data")
    docker.run("run", "--rm", "--network", "none", *volume, "basegate:test", "tls", "init").check()
    pair = ("BASEGATE_TLS_CERT=/data/tls/server.crt", "BASEGATE_TLS_KEY=/data/tls/server.key")
    with _running(docker, *volume, *(word for line in pair for word in ("--env", line))) as secure:
        assert _health(docker, secure) == "healthy", docker.run("logs", secure).output
        assert "url=https://" in docker.run("logs", secure).check().output
    docker.run("volume", "rm", "basegate-tls").check()


def test_it_does_not_run_as_root(docker: Program, container: str) -> None:
    """The server's user is not root, and owns the data."""
    assert docker.run("exec", container, "id", "-u").check().output.strip() == "10001"
    assert docker.run("exec", container, "stat", "--format=%u", "/data").check().output.strip() == "10001"


def test_its_first_words_are_in_the_log(docker: Program, container: str) -> None:
    """The secrets of the first start are printed where `docker logs` shows them."""
    deadline = time.monotonic() + HEALTHY_SECONDS
    while "First start" not in (said := docker.run("logs", container).check().output):
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def test_everything_it_runs_is_compiled(docker: Program, container: str) -> None:
    """No start has to compile: the server's user may not write the result."""
    docker.run("exec", container, "python3", "-c", _COMPILED).check()


def test_it_declares_volume_and_health_check(docker: Program) -> None:
    """Data is a volume, and a health check is part of the image."""
    said = docker.run("image", "inspect", "basegate:test", "--format", "{{json .Config}}").check().output
    configuration = json.loads(said)
    assert list(configuration["Volumes"]) == ["/data"]
    assert configuration["Healthcheck"]["Test"][0] == "CMD"


def test_it_stops_when_asked(docker: Program, container: str) -> None:
    """SIGTERM ends the server by itself, with exit code 0, however far it has come."""
    docker.run("stop", "--time", "30", container).check()
    assert docker.run("inspect", "--format", "{{.State.ExitCode}}", container).check().output.strip() == "0"


def test_a_container_of_testcontainers(docker: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ready when it is entered, knows the credentials that it was given, and is gone at the end."""
    monkeypatch.setattr("testcontainers.core.config.testcontainers_config.ryuk_disabled", True)
    engine = {"environment": {"DOCKER_HOST": docker.arguments[-1]}}
    made = BasegateContainer("basegate:test", host_network=True, docker_client_kw=engine).with_credentials("ci")
    with made as registry:
        [who] = registry.credentials
        url = f"http://{registry.get_registry()}/v2/"
        codes = [httpx.get(url, auth=(who.username, secret)).status_code for secret in (who.password, "wrong")]
        left = docker.run("ps", "--quiet", "--no-trunc").check().output
        assert (codes, registry.get_container_id() in left) == ([200, 401], True)
    assert registry.get_container_id() not in docker.run("ps", "--all", "--quiet", "--no-trunc").check().output


def test_the_image_of_a_node_is_built(docker: Program, context: Path) -> None:
    """With what several nodes need beside."""
    chosen = ("--build-arg", "REQUIREMENTS=requirements-cluster.txt", "--tag", "basegate:node")
    docker.run("build", *OFFLINE, *chosen, str(context)).check()
    needed = "import registry.storage.objects.connecting, registry.metadata.open_postgres, psycopg"
    docker.run("run", "--rm", "--network", "none", "--entrypoint", "python3", "basegate:node", "-c", needed).check()
