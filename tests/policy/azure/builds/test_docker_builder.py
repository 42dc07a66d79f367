"""Quick builds by docker: its daemon builds, and is left as it was."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.daemons import docker_daemon
from tests.policy.azure.builds.sending import FROM_NOTHING, Sender, run_line, sender
from tests.policy.azure.endpoint import REGISTRY, LiveEndpoint, live_endpoint
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.root,
    pytest.mark.client("docker", "dockerd", "busybox"),
    pytest.mark.xdist_group("docker-builds"),
]
MEBIBYTE = 1 << 20
LIMITS = {
    "builder": "docker",
    "seconds": 200,
    "log_bytes": 64 * 1024,
    "memory_bytes": 64 * MEBIBYTE,
    "disk_bytes": 64 * MEBIBYTE,
    "free_bytes": 0,
}
CGROUPS = Path("/sys/fs/cgroup")
MOST_PROCESSES = 24
each_end = pytest.mark.parametrize(
    ("script", "word"),
    [
        ("/bin/busybox false", "exit status"),
        ("while true; do /bin/busybox echo 0123456789012345678901234567890123456789; done", "log_bytes"),
        ("/bin/busybox dd if=/dev/zero of=/dev/null bs=256M count=1", "exit status"),
        ("n=0; while [ $n -lt 100 ]; do /bin/busybox sleep 20 & n=$((n+1)); done; /bin/busybox true", "exit status"),
        ("/bin/busybox dd if=/dev/zero of=/big bs=1M count=200; /bin/busybox sleep 600", "disk_bytes"),
        ("/bin/busybox sleep 600", "takes longer"),
    ],
    ids=["fails", "prints for ever", "takes memory", "forks", "fills the disk", "never ends"],
)
"""Lines that end a build, and a word of what is said then."""


@pytest.fixture(scope="module")
def cgroup() -> Iterator[str]:
    """A control group that may have few processes."""
    folder = (CGROUPS / "pids" if (CGROUPS / "pids").is_dir() else CGROUPS) / f"basegate-{os.getpid()}"
    folder.mkdir()
    (folder / "pids.max").write_text(str(MOST_PROCESSES))
    yield f"/{folder.name}"
    folder.rmdir()


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory, cgroup: str) -> Iterator[Path]:
    """A daemon of this module's own."""
    with docker_daemon(tmp_path_factory.mktemp("docker")) as found:
        yield found


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory, socket: Path, cgroup: str) -> Iterator[LiveEndpoint]:
    """An endpoint whose images it builds."""
    builds = LIMITS | {"docker_host": f"unix://{socket}", "docker_cgroup": cgroup}
    with live_endpoint(tmp_path_factory.mktemp("building") / "data", azure={"builds": builds}) as live:
        yield live


@pytest.fixture
def owner(building: LiveEndpoint) -> Iterator[Sender]:
    """Its owner, who may have anything built."""
    found = sender(building)
    with found.client:
        yield found


def asked(socket: Path, *arguments: str) -> list[str]:
    """What the daemon says."""
    command = ["docker", "--host", f"unix://{socket}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def nothing_is_left(socket: Path, endpoint: LiveEndpoint) -> bool:
    """Neither an image with a name nor a container, nor a folder."""
    named = [name for name in asked(socket, "images", "--format", "{{.Repository}}") if name != "<none>"]
    work = endpoint.gateway.registry.data / "builds" / "work"
    return (named, asked(socket, "ps", "--all", "--quiet"), [*work.iterdir()]) == ([], [], [])


def test_an_image_is_built_and_pushed(socket: Path, building: LiveEndpoint, owner: Sender) -> None:
    """The verdict stands in front of the last line, and the digest in the record."""
    done = owner.build(FROM_NOTHING + run_line("/bin/busybox echo built > /built"), "team/app:v1", "team/too")
    assert done.complete == "successful", done.log
    assert re.fullmatch(rf"Run ID: {done.run} was successful after \d+s", done.log[-1])
    outputs = owner.client.get(f"{REGISTRY}/runs/{done.run}").json()["properties"]["outputImages"]
    assert [f"denied: {each['repository']}:{each['tag']}@{each['digest']}" for each in outputs] == [
        line.partition(" (")[0] for line in done.log if line.startswith("denied: ")
    ]
    assert [each["digest"][:7] for each in outputs] == ["sha256:"] * 2
    assert nothing_is_left(socket, building)


@pytest.mark.parametrize("name", ["{}/team/base:v1", "{}/team/base", "myregistry.azurecr.io/team/base:v1"])
def test_a_base_image_of_this_registry_is_fetched(
    socket: Path, building: LiveEndpoint, owner: Sender, name: str
) -> None:
    """By the names that the registry has; the daemon keeps none of them."""
    owner.build(FROM_NOTHING, "team/base:v1", "team/base:latest")
    done = owner.build(f"FROM {name.format(building.gateway.host)}\n" + run_line("/bin/busybox true"), "team/on-base")
    assert done.complete == "successful", done.log
    assert nothing_is_left(socket, building)


def test_a_base_image_by_digest(building: LiveEndpoint, owner: Sender) -> None:
    """Under the registry's address on this machine."""
    run = owner.build(FROM_NOTHING, "team/base:v2").run
    made = owner.client.get(f"{REGISTRY}/runs/{run}").json()["properties"]["outputImages"][0]
    done = owner.build(f"FROM {building.gateway.host}/team/base@{made['digest']}\n", "team/on-digest")
    assert done.complete == "successful", done.log


def test_a_base_image_of_another_registry_is_refused(owner: Sender) -> None:
    """Before the daemon, which has a network, is asked for it."""
    done = owner.build("FROM other.example/base:v1\n", "team/app:v2")
    assert any("push it here first" in line for line in done.log)
    assert done.log[-1].endswith("Error: the base image other.example/base:v1 is not of this registry")


def test_arguments_reach_the_build_and_secrets_stay_out_of_the_log(owner: Sender) -> None:
    """Both are there in a RUN line; one is shown."""
    text = "FROM scratch\nCOPY busybox /bin/busybox\nARG A\nARG S\n" + run_line("/bin/busybox echo $A-$S")
    arguments = [{"name": "A", "value": "shown"}, {"name": "S", "value": "hidden-word", "isSecret": True}]
    done = owner.build(text, arguments=arguments)
    assert "shown-***" in done.log
    assert not any("hidden-word" in line for line in done.log)


@each_end
def test_a_build_ends(socket: Path, building: LiveEndpoint, owner: Sender, script: str, word: str) -> None:
    """And its containers with it."""
    done = owner.build(FROM_NOTHING + run_line(script), "team/bad:v1", timeout=20 if word == "takes longer" else 200)
    assert done.complete in {"failed", "timedout"}
    assert re.search(word, done.log[-1])
    wait_until(lambda: nothing_is_left(socket, building))  # the daemon ends what its client has left


def test_a_run_line_has_neither_network_nor_token(owner: Sender) -> None:
    """Only a loopback interface; no credentials, and nothing of the server's."""
    script = (
        "/bin/busybox cat /proc/net/dev; /bin/busybox env; /bin/busybox find / -name config.json -not -path '/proc/*'"
    )
    done = owner.build(FROM_NOTHING + run_line(script))
    assert done.complete == "successful", done.log
    assert not [line for line in done.log if re.match(r" *(eth|en|wl)\w+:|/.*config\.json|BASEGATE", line)]


def test_a_build_is_canceled(socket: Path, building: LiveEndpoint, owner: Sender) -> None:
    """While a RUN line runs, which ends with it."""
    run = owner.begin(FROM_NOTHING + run_line("/bin/busybox sleep 600"))
    wait_until(lambda: bool(asked(socket, "ps", "--quiet")))
    assert owner.client.post(f"{REGISTRY}/runs/{run}/cancel").status_code == 200
    assert owner.finish(run).complete == "canceled"
    assert nothing_is_left(socket, building)
