"""What a worker cannot do, looked at from outside and tried from inside."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from policy.inspection.worker.pool import InspectionWorkers
from tests.policy.images_made import base, layer
from tests.policy.inspection.worker.test_pool import open_workers, read
from tests.waiting import wait_until

INSIDE = """
import socket, sys
from policy.inspection.worker.sandbox import confine
confine(1 << 30)
{}
"""


@pytest.fixture
def proc(tmp_path: Path) -> Iterator[Path]:
    """`/proc/PID` of a worker that has read a layer."""
    with open_workers() as (pool, _):
        read(pool, tmp_path, layer(base()))
        yield settled(pool)


def settled(pool: InspectionWorkers) -> Path:
    """The worker's folder once it has confined itself."""
    folder = Path(f"/proc/{pool.pids[0]}")
    wait_until(lambda: "NoNewPrivs:\t1" in (folder / "status").read_text(), 10)
    return folder


def attempt(action: str) -> str:
    """Try something inside a confined process; what it says on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", INSIDE.format(action)], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode != 0
    return done.stderr


@pytest.mark.root
def test_the_servers_environment_is_not_there(proc: Path) -> None:
    """Secrets in the server's environment do not reach a worker: it has its path and the allocator's settings."""
    names = {part.partition(b"=")[0] for part in (proc / "environ").read_bytes().split(b"\0") if part}
    assert {name for name in names if not name.startswith(b"MALLOC_")} <= {b"PYTHONPATH"}


def test_limits_are_set(proc: Path) -> None:
    """Memory is bounded and no file can be written."""
    limits = (proc / "limits").read_text().splitlines()
    rows = {line[:26].strip(): line[26:].split()[0] for line in limits}
    assert rows["Max address space"] == str(1 << 30)
    assert (rows["Max file size"], rows["Max core file size"], rows["Max open files"]) == ("0", "0", "32")


@pytest.mark.root
def test_there_is_no_network(proc: Path) -> None:
    """The worker's network has nothing but a loopback of its own."""
    devices = [line.split(":")[0].strip() for line in (proc / "net/dev").read_text().splitlines()[2:]]
    assert devices == ["lo"]


@pytest.mark.root
def test_only_the_layer_and_the_servers_end_are_open(proc: Path) -> None:
    """No file of the server is inherited: standard streams and the pair's end, nothing else."""
    wait_until(lambda: len(list((proc / "fd").iterdir())) <= 3, 5)  # it answers before it closes the layer


@pytest.mark.parametrize(
    "action",
    [
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.socket().bind(('127.0.0.1', 0))",
        "import os; os.system('true')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork()",
        "import os; os.remove('/tmp/none')",
        "open('/tmp/none', 'w')",
    ],
)
def test_the_interpreter_refuses(action: str) -> None:
    """Whatever the kernel grants, the interpreter does not go there."""
    assert "Confined: an inspection worker may not" in attempt(action)


def test_memory_is_bounded() -> None:
    """A layer cannot make a worker take the machine's memory."""
    assert "MemoryError" in attempt("bytearray(2 << 30)")


def test_a_large_server_does_not_count_as_the_workers_memory() -> None:
    """What the process that starts a worker holds is not what the worker has used."""
    held = bytearray(200 << 20)
    text = INSIDE.format("from policy.inspection.worker.sandbox import memory_used; print(memory_used())")
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=30)
    assert 1 << 20 < int(done.stdout) < len(held) // 2
