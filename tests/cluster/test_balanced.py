"""Clients behind nginx, round robin and without affinity: chunks, real clients, and a node that is killed."""

import os
import re
from pathlib import Path

import httpx
import pytest

from registry.oci.digest import Digest
from tests.clients.client import Endpoint
from tests.clients.crane import Crane
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image
from tests.cluster.balancer import CONFIG, Cluster, balanced, balancer, checked, silent_address
from tests.halfway import HalfwayUpload
from tests.repository import Repository
from tests.waiting import wait_until

__all__ = ["balanced"]

CHUNKS = [os.urandom(1 << 20) for _ in range(6)]


def send(client: httpx.Client, upload: str, first: int, count: int) -> None:
    """Append some of the chunks to an upload; one whose answer was cut off, by the end of a node, once more."""
    for number in range(first, first + count):
        place = {"Content-Range": f"{number << 20}-{(number + 1 << 20) - 1}"}
        answer = client.patch(upload, content=CHUNKS[number], headers=place)
        if answer.status_code == 502:
            answer = client.patch(upload, content=CHUNKS[number], headers=place)
        assert (answer.status_code, answer.headers["range"]) == (202, f"0-{(number + 1 << 20) - 1}")


def test_both_nodes_take_part(balanced: Cluster) -> None:
    """Each has been sent requests of one upload, and the blob is whole."""
    with balanced.client() as client:
        upload = Repository(client, "chunks/app").open_upload()
        send(client, upload, 0, 6)
        ended = client.put(upload, params={"digest": Digest.of(b"".join(CHUNKS))})
        assert ended.status_code == 201
        assert client.get(ended.headers["location"]).content == b"".join(CHUNKS)
    assert [_appended(node.host) for node in balanced.nodes] == [3, 3]


def _figure(host: str, pattern: str) -> float:
    """The sum of a node's figures whose lines match; of those of a group too."""
    text = httpx.get(f"http://{host}/metrics", trust_env=False).text
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if re.match(pattern, line))


def _appended(host: str) -> float:
    """How many requests a node has answered that appended to uploads."""
    return _figure(host, r'basegate_requests_total\{.*operation="uploads\.append"')


def test_a_machine_that_has_gone_is_passed_over(balanced: Cluster, tmp_path: Path) -> None:
    """Its connections are not waited for as long as clients wait."""
    with silent_address() as gone, balancer(tmp_path / "nginx", [gone, balanced.nodes[1].host]) as host:
        answers = [httpx.get(f"http://{host}/v2/", timeout=30, trust_env=False).status_code for _ in range(4)]
    assert answers == [401] * 4


@pytest.mark.client("crane")
def test_crane_pushes_and_pulls(balanced: Cluster, tmp_path: Path) -> None:
    """An image with a layer that is inspected while it comes."""
    layout = Layout(tmp_path / "images")
    layout.add("good", cleared_image(large=True))
    (tmp_path / "home").mkdir()
    crane = Crane(tmp_path / "home", Endpoint(balanced.host, None))
    crane.log_in(balanced.owner.username, balanced.owner.password)
    crane.push(layout, "good", f"{balanced.host}/team/app:good").check()
    crane.pull(f"{balanced.host}/team/app:good").check()
    with balanced.client() as client:
        reference = {"reference": f"{balanced.host}/team/app:good"}
        assert client.post("/policy/v1/references:check", json=reference).json()["allowed"] is True


def test_the_other_goes_on_when_one_is_killed(balanced: Cluster) -> None:
    """In the middle of a request; the upload goes on from what was acknowledged before it."""
    killed, owner = balanced.nodes[0], (balanced.owner.username, balanced.owner.password)
    with balanced.client() as client:
        upload = Repository(client, "killed/app").open_upload()
        send(client, upload, 0, 3)
        halfway = HalfwayUpload(f"http://{killed.host}{upload}", auth=owner, method="PATCH")
        wait_until(lambda: _figure(killed.host, "basegate_requests_running") >= 2)
        killed.process.kill()
        assert halfway.go_on() == 0
        send(client, upload, 3, 3)
        ended = client.put(upload, params={"digest": Digest.of(b"".join(CHUNKS))})
        assert ended.status_code == 201
        assert client.get(ended.headers["location"]).content == b"".join(CHUNKS)


@pytest.mark.parametrize("line", ["# hash $upload consistent;", ""])
def test_the_configuration_is_good(line: str, tmp_path: Path) -> None:
    """With what it has in comments, and without."""
    text = CONFIG.read_text(encoding="utf-8")
    assert line in text
    done = checked(text.replace(line, line.removeprefix("# ")), tmp_path)
    assert done.returncode == 0, done.stderr
