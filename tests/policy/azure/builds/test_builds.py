"""Quick builds with a real builder: what is built, pushed and said, and how one ends that has too much."""

import re
from pathlib import Path

import httpx
import pytest

from policy.azure.builds.jail import NICENESS
from tests.policy.azure.builds.sending import FROM_NOTHING, Finished, Sender, context_of, run_line
from tests.policy.azure.endpoint import REGISTRY, LiveEndpoint, code_of

pytestmark = [pytest.mark.root, pytest.mark.client("buildah", "busybox"), pytest.mark.xdist_group("builds")]

# dd keeps what it has read until somebody reads it.
_HOLD = "/bin/busybox dd if=/dev/zero bs=400M count=1 | /bin/busybox sleep 60"


def nothing_is_left(endpoint: LiveEndpoint) -> bool:
    """Neither a context nor a working folder."""
    builds = endpoint.gateway.registry.data / "builds"
    return [*(builds / "contexts").iterdir(), *(builds / "work").iterdir()] == []


def test_an_image_is_built_and_pushed(building: LiveEndpoint, owner: Sender) -> None:
    """The verdict stands in front of the last line, and the digest in the record."""
    done = owner.build(FROM_NOTHING + run_line("/bin/busybox echo built > /built"), "team/app:v1")
    assert done.complete == "successful"
    assert re.fullmatch(rf"Run ID: {done.run} was successful after \d+s", done.log[-1])
    assert done.log[-2].startswith("denied: team/app:v1@sha256:")  # it has no Ubuntu in it
    output = owner.client.get(f"{REGISTRY}/runs/{done.run}").json()["properties"]["outputImages"][0]
    auth = ("admin", building.gateway.secrets["admin"])
    head = httpx.head(f"{building.gateway.registry.url}/v2/team/app/manifests/v1", auth=auth)
    assert head.headers["docker-content-digest"] == output["digest"]
    assert nothing_is_left(building)


def test_a_base_image_of_this_registry_is_fetched(building: LiveEndpoint, owner: Sender) -> None:
    """With the right to pull that one; the build itself has no network."""
    owner.build(FROM_NOTHING, "team/base:v1")
    done = owner.build(
        f"FROM {building.gateway.host}/team/base:v1\n" + run_line("/bin/busybox true"), "team/on-base:v1"
    )
    assert done.complete == "successful", done.log


def test_a_base_image_of_another_registry_is_named(owner: Sender) -> None:
    """And what to do."""
    done = owner.build("FROM other.example/base:v1\n", "team/app:v2")
    assert done.complete == "failed"
    assert any("push it here first" in line for line in done.log)


def test_too_many_base_images(owner: Sender) -> None:
    """Each would be a line of the log, however full it is."""
    done = owner.build("".join(f"FROM other.example/base:v{number}\n" for number in range(201)), "team/app:v2")
    assert done.log[-1].endswith("201 base images are more than 200")
    assert len(done.log) < 10


def test_several_names_and_the_runs_own_id(owner: Sender) -> None:
    """Each is pushed."""
    done = owner.build(FROM_NOTHING, "team/one:{{.Run.ID}}", "team/two")
    shown = owner.client.get(f"{REGISTRY}/runs/{done.run}").json()["properties"]["outputImages"]
    assert [(each["repository"], each["tag"]) for each in shown] == [("team/one", done.run), ("team/two", "latest")]


def test_without_a_name_nothing_is_pushed(owner: Sender) -> None:
    """`--no-push`."""
    done = owner.build(FROM_NOTHING)
    assert done.complete == "successful"
    assert owner.client.get(f"{REGISTRY}/runs/{done.run}").json()["properties"]["outputImages"] == []


def test_arguments_reach_the_build_and_secrets_stay_out_of_the_log(owner: Sender) -> None:
    """Both are there in a RUN line; one is shown."""
    text = "FROM scratch\nCOPY busybox /bin/busybox\nARG A\nARG S\n" + run_line("/bin/busybox echo $A-$S")
    arguments = [{"name": "A", "value": "shown"}, {"name": "S", "value": "hidden-word", "isSecret": True}]
    done = owner.build(text, arguments=arguments)
    assert "shown-***" in done.log
    assert not any("hidden-word" in line for line in done.log)


def test_a_stage_is_the_target(owner: Sender) -> None:
    """`--target`: what comes after it is not built."""
    text = "FROM scratch AS first\nCOPY busybox /bin/busybox\nFROM first\n" + run_line("/bin/busybox false")
    assert owner.build(text, target="first").complete == "successful"


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("/bin/busybox false", "exit status"),
        ("while true; do /bin/busybox echo 0123456789012345678901234567890123456789; done", "log_bytes"),
        ("/bin/busybox dd if=/dev/zero of=/big bs=1M count=500; /bin/busybox sleep 60", "disk_bytes"),
        (f"for n in 1 2 3 4 5; do {_HOLD} & done; wait", "memory_bytes"),
        ("f() { f | f & }; f; /bin/busybox sleep 2; /bin/busybox false", "exit status|processes"),
    ],
)
def test_a_build_ends(building: LiveEndpoint, owner: Sender, script: str, word: str) -> None:
    """One that fails, prints for ever, fills the disk, takes memory, or forks; nothing of it is left."""
    done: Finished = owner.build(FROM_NOTHING + run_line(script), "team/bad:v1", timeout=200)
    assert done.complete == "failed"
    assert done.log[-1].startswith(f"Run ID: {done.run} failed after ")
    assert re.search(word, done.log[-1])
    assert nothing_is_left(building)


def test_a_build_that_never_ends_has_its_time(building: LiveEndpoint, owner: Sender) -> None:
    """And no more; nothing of it is left."""
    done = owner.build(FROM_NOTHING + run_line("/bin/busybox sleep 600"), "team/bad:v1", timeout=10)
    assert done.complete in {"failed", "timedout"}
    assert done.log[-1].startswith(f"Run ID: {done.run} failed after ")
    assert "takes longer" in done.log[-1]
    assert nothing_is_left(building)


def test_a_run_line_has_no_network(owner: Sender) -> None:
    """Neither the machine's interfaces nor this registry."""
    done = owner.build(FROM_NOTHING + run_line("/bin/busybox cat /proc/net/dev"))
    assert not [line for line in done.log if re.match(r" *(eth|en|wl)\w+:", line)]


def test_a_session_of_a_build_gives_way(owner: Sender) -> None:
    """One that a RUN line begins as well: else it would have as much of the processors as the registry."""
    show = "/bin/busybox cat /proc/self/autogroup; /bin/busybox setsid /bin/busybox sh -c"
    done = owner.build(FROM_NOTHING + run_line(f"{show} '/bin/busybox sleep 3; /bin/busybox cat /proc/self/autogroup'"))
    sessions = 2 if Path("/proc/self/autogroup").exists() else 0  # not every kernel groups them
    assert [line.rpartition(" ")[2] for line in done.log if line.startswith("/autogroup")] == [str(NICENESS)] * sessions


def test_a_run_line_has_no_token(owner: Sender) -> None:
    """What the builder fetches and pushes with is not there while it builds."""
    done = owner.build(
        FROM_NOTHING + run_line("/bin/busybox env; /bin/busybox find / -name auth.json -o -name config.json; true")
    )
    assert not [line for line in done.log if ("json" in line and "STEP" not in line) or "BASEGATE" in line]


def test_a_build_is_canceled(owner: Sender) -> None:
    """While it runs."""
    run = owner.begin(FROM_NOTHING + run_line("/bin/busybox sleep 600"))
    assert owner.client.post(f"{REGISTRY}/runs/{run}/cancel").status_code == 200
    assert owner.finish(run).complete == "canceled"


def test_a_build_that_waits_is_canceled_at_once(owner: Sender) -> None:
    """Before the one in front of it has ended."""
    first = owner.begin(FROM_NOTHING + run_line("/bin/busybox sleep 600"))
    second = owner.begin(FROM_NOTHING)
    owner.client.post(f"{REGISTRY}/runs/{second}/cancel").raise_for_status()
    assert owner.finish(second).complete == "canceled"
    owner.client.post(f"{REGISTRY}/runs/{first}/cancel").raise_for_status()
    assert owner.finish(first).complete == "canceled"


def test_a_build_that_waits_keeps_its_context(owner: Sender) -> None:
    """While others send theirs."""
    first = owner.begin(FROM_NOTHING + run_line("/bin/busybox sleep 600"))
    second = owner.begin(FROM_NOTHING)
    owner.send(context_of(FROM_NOTHING))
    owner.client.post(f"{REGISTRY}/runs/{first}/cancel").raise_for_status()
    done = owner.finish(second)
    assert done.complete == "successful", done.log


def test_a_context_without_a_dockerfile(owner: Sender) -> None:
    """It is said so."""
    asked = owner.ask(context_of("FROM scratch"), dockerFilePath="other/Dockerfile").raise_for_status()
    done = owner.finish(asked.json()["properties"]["runId"])
    assert "the context has no other/Dockerfile" in done.log[-1]


def test_a_context_is_used_once(owner: Sender) -> None:
    """A second build of it is refused."""
    where = owner.send(context_of(FROM_NOTHING))
    body = {"type": "DockerBuildRequest", "sourceLocation": where}
    assert owner.client.post(f"{REGISTRY}/scheduleRun", json=body).status_code == 200
    assert code_of(owner.client.post(f"{REGISTRY}/scheduleRun", json=body)) == (400, "InvalidSourceLocation")
