"""nginx with config/cluster/nginx.conf, as it is but for addresses, in front of nodes in processes of their own."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.architecture.source import ROOT
from tests.conformance_suite.suite import Registry
from tests.installation import Account, Installation
from tests.ports import free_port
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import ObjectServer, moto
from tests.server_process import Serving
from tests.waiting import wait_until

CONFIG = ROOT / "config" / "cluster" / "nginx.conf"
NODES = ("first", "second")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes behind a balancer.

    Attributes:
        host: HOST:PORT of the balancer.
        owner: who may do everything.
        nodes: the servers.
    """

    host: str
    owner: Account
    nodes: Sequence[Serving]

    def client(self) -> httpx.Client:
        """The owner, at the balancer."""
        auth = (self.owner.username, self.owner.password)
        return httpx.Client(base_url=f"http://{self.host}", auth=auth, timeout=120, trust_env=False)


@contextmanager
def cluster(folder: Path, store: ObjectServer, postgres: PostgresServer, **variables: str) -> Iterator[Cluster]:
    """Two nodes with one database, one store and the same keys, until the block ends.

    Args:
        folder: for everything.
        store: an object store.
        postgres: makes them a database.
        variables: more settings.
    """
    storage = {f"BASEGATE_STORAGE__{name.upper()}": str(value) for name, value in store.settings(folder).items()}
    shared = {**storage, **postgres.variables(), "BASEGATE_SERVER__TRUSTED_PROXIES": '["127.0.0.1"]', **variables}
    first, second = (Installation(folder / name / "data", shared) for name in NODES)
    owner = first.create_principal("suite", "Owner")
    shutil.copytree(first.data / "keys", second.data / "keys")
    with ExitStack() as stack:
        nodes = [stack.enter_context(each.serving()) for each in (first, second)]
        host = stack.enter_context(balancer(folder / "nginx", [node.host for node in nodes]))
        yield Cluster(host, owner, nodes)


@pytest.fixture(scope="module")
def balanced(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster over moto."""
    with cluster(tmp_path_factory.mktemp("nodes"), moto(), postgres) as started:
        yield started


@pytest.fixture(scope="module")
def registry(balanced: Cluster) -> Registry:
    """The same, as the conformance suite wants it."""
    return balanced.host, balanced.owner


@contextmanager
def balancer(folder: Path, nodes: Sequence[str]) -> Iterator[str]:
    """nginx in front of the two nodes, until the block ends; HOST:PORT of it."""
    host = f"127.0.0.1:{free_port()}"
    text = CONFIG.read_text(encoding="utf-8").replace("listen 5000;", f"listen {host};")
    process = subprocess.Popen([*_command(text, folder, nodes), "-g", f"daemon off; pid {folder}/nginx.pid;"])
    try:
        wait_until(lambda: _answers(host))
        yield host
    finally:
        process.terminate()
        process.wait()


@contextmanager
def silent_address() -> Iterator[str]:
    """HOST:PORT where nobody takes or refuses a connection, as that of a machine that has gone."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # those that the kernel still takes
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def checked(text: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """What nginx says of a configuration."""
    command = [*_command(text, folder, ("127.0.0.1:1", "127.0.0.1:2")), "-t", "-g", f"pid {folder}/nginx.pid;"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _command(text: str, folder: Path, nodes: Sequence[str]) -> list[str | Path]:
    """nginx with a configuration whose nodes are these."""
    for name, node in zip(NODES, nodes, strict=True):
        text = text.replace(f"server {name}:5000", f"server {node}")
    (folder / "logs").mkdir(parents=True)
    (folder / "nginx.conf").write_text(_in_folder(text, folder), encoding="utf-8")
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "nginx is not installed: `make tools` installs it"
    return [program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "logs" / "error.log"]


def _in_folder(text: str, folder: Path) -> str:
    """With everything that nginx writes in a folder of the test; its workers may read it."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    return user + text.replace("http {\n", f"http {{\n{paths}", 1)


def _answers(host: str) -> bool:
    try:
        return httpx.get(f"http://{host}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
