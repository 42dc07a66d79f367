"""Quick builds by docker with BuildKit, as a setting asks for it: they end as others do, and leave nothing."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.daemons import docker_daemon
from tests.policy.azure.builds.sending import FROM_NOTHING, Sender, run_line, sender
from tests.policy.azure.builds.test_docker_builder import CGROUPS, LIMITS, MEBIBYTE, each_end
from tests.policy.azure.endpoint import LiveEndpoint, live_endpoint
from tests.waiting import wait_until

# Debian's client has BuildKit in it; others need the plugin buildx as well.
CLIENT = "/usr/bin/docker"
pytestmark = [
    pytest.mark.root,
    pytest.mark.client(CLIENT, "dockerd", "busybox"),
    pytest.mark.xdist_group("docker-builds"),
]
MOST_PROCESSES = 24
MOST_MEMORY = 64 * MEBIBYTE


@pytest.fixture(scope="module")
def cgroup() -> Iterator[str]:
    """A control group for all that a daemon runs: it may have few processes, and little memory."""
    name = f"basegate-buildkit-{os.getpid()}"
    two = not (CGROUPS / "pids").is_dir()
    pids, memory = (CGROUPS / part / name for part in (("", "") if two else ("pids", "memory")))
    for folder in {pids, memory}:
        folder.mkdir()
    (pids / "pids.max").write_text(str(MOST_PROCESSES))
    (memory / ("memory.max" if two else "memory.limit_in_bytes")).write_text(str(MOST_MEMORY))
    yield f"/{name}"
    for place in (path for folder in {pids, memory} for path in (*sorted(folder.rglob("*/"), reverse=True), folder)):
        if place.is_dir():
            place.rmdir()


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory, cgroup: str) -> Iterator[Path]:
    """A daemon of this module's own."""
    with docker_daemon(tmp_path_factory.mktemp("docker"), "--cgroup-parent", cgroup) as found:
        yield found


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory, socket: Path) -> Iterator[LiveEndpoint]:
    """An endpoint whose images it builds."""
    builds = LIMITS | {"docker_host": f"unix://{socket}", "docker_buildkit": True}
    programs = tmp_path_factory.mktemp("programs")
    (programs / "docker").symlink_to(CLIENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        with live_endpoint(tmp_path_factory.mktemp("building") / "data", azure={"builds": builds}) as live:
            yield live


@pytest.fixture
def owner(building: LiveEndpoint) -> Iterator[Sender]:
    """Its owner, who may have anything built."""
    found = sender(building)
    with found.client:
        yield found


def kept(socket: Path) -> list[str]:
    """How many bytes of each kind the daemon has."""
    command = [CLIENT, "--host", f"unix://{socket}", "system", "df", "--format", "{{.Type}}: {{.Size}}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def nothing_is_left(socket: Path) -> bool:
    """Neither an image nor what BuildKit keeps for later builds."""
    return all(line.endswith(": 0B") for line in kept(socket))


def test_an_image_is_built_and_pushed(socket: Path, owner: Sender) -> None:
    """By BuildKit, whose lines begin with numbers."""
    done = owner.build(FROM_NOTHING + run_line("/bin/busybox echo built > /built"), "team/app:v1")
    assert done.complete == "successful", done.log
    assert any(re.match(r"#\d+ \[", line) for line in done.log)
    assert done.log[-2].startswith("denied: team/app:v1@sha256:")
    assert nothing_is_left(socket)


def test_a_base_image_of_this_registry_is_fetched(socket: Path, owner: Sender) -> None:
    """By a name that leads to no host."""
    owner.build(FROM_NOTHING, "team/base:v1")
    done = owner.build("FROM myregistry.azurecr.io/team/base:v1\n" + run_line("/bin/busybox true"), "team/on-base")
    assert done.complete == "successful", done.log
    assert nothing_is_left(socket)


def test_a_run_line_has_no_network(owner: Sender) -> None:
    """Only a loopback interface."""
    done = owner.build(FROM_NOTHING + run_line("/bin/busybox cat /proc/net/dev"))
    assert done.complete == "successful", done.log
    assert any(" lo:" in line for line in done.log)
    assert not [line for line in done.log if re.search(r"\b(eth|en|wl)\w+:", line)]


def test_arguments_reach_the_build_and_secrets_stay_out_of_the_log(owner: Sender) -> None:
    """Both are there in a RUN line; one is shown."""
    text = "FROM scratch\nCOPY busybox /bin/busybox\nARG A\nARG S\n" + run_line("/bin/busybox echo $A-$S")
    arguments = [{"name": "A", "value": "shown"}, {"name": "S", "value": "hidden-word", "isSecret": True}]
    done = owner.build(text, arguments=arguments)
    assert any("shown-***" in line for line in done.log), done.log
    assert not any("hidden-word" in line for line in done.log)


@each_end
def test_a_build_ends(socket: Path, owner: Sender, script: str, word: str) -> None:
    """And nothing of it is left; memory and processes are limited by the daemon's own control group."""
    done = owner.build(FROM_NOTHING + run_line(script), "team/bad:v1", timeout=20 if word == "takes longer" else 200)
    assert done.complete in {"failed", "timedout"}
    assert re.search(word, done.log[-1]), done.log
    wait_until(lambda: nothing_is_left(socket))  # the daemon ends what its client has left
