"""Two nodes under pushes, either of which is killed (SIGKILL) again and again; and what must hold when all is still.

Each writer pushes images of its own, each request but those of one upload to the node that comes next, and begins an
image anew at the other node when one does not answer, as clients and people do. Layers are read and judged.
"""

import itertools
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from policy.results.postgres_schema import NAME as RESULTS
from registry.database.postgres import Database
from registry.oci import media_types
from registry.oci.digest import Digest
from tests.installation import Installation
from tests.policy.images_made import MadeImage, base, image, layer, miniconda
from tests.policy.interrupted_uploads import InterruptedUpload
from tests.ports import free_port
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto
from tests.server_process import Serving
from tests.waiting import wait_until

_SHARED = layer(miniconda())
_ATTEMPTS = 200
_START_SECONDS = 600.0
"""A machine that does much else gives little of itself to a server that starts."""
_SETTLE_SECONDS = 120.0
"""A lease of a dead node lasts 10 s; a machine under load takes its time besides."""


@dataclass
class Node:
    """One server, which comes back at the same address.

    Attributes:
        host: HOST:PORT.
        kills: how often it was killed.
    """

    installation: Installation
    host: str
    kills: int = 0
    _running: ExitStack = field(default_factory=ExitStack)
    _serving: Serving | None = None

    def start(self) -> None:
        """Have it ready."""
        self._serving = self._running.enter_context(self.installation.serving(host=self.host, patience=_START_SECONDS))

    def kill(self) -> None:
        """SIGKILL."""
        assert self._serving is not None
        self._serving.process.kill()
        self.kills += 1
        self.stop()

    def stop(self) -> None:
        """End it, if it runs."""
        self._running.close()


@dataclass
class Cluster:
    """Two nodes, and what they have acknowledged.

    Attributes:
        acknowledged: names of images whose manifest was answered with 201, with the image.
        attempts: how many pushes of an image were begun.
        allowed: how many may be acknowledged before the next kill; more would only keep the machine busy.
        interrupted: an upload for each kill, which was on its way to the node that was killed.
    """

    nodes: tuple[Node, Node]
    database: Database
    acknowledged: dict[str, MadeImage] = field(default_factory=dict)
    attempts: int = 0
    allowed: float = 0
    interrupted: list[InterruptedUpload] = field(default_factory=list)

    def client(self, number: int) -> httpx.Client:
        """Of one node."""
        return httpx.Client(base_url=f"http://{self.nodes[number % 2].host}", timeout=60)


@contextmanager
def cluster(postgres: PostgresServer, folder: Path) -> Iterator[Cluster]:
    """Two nodes in processes of their own; nobody has to sign in."""
    storage, database = moto().settings(folder / "keys"), postgres.new_database()
    variables = {f"BASEGATE_STORAGE__{name.upper()}": str(value) for name, value in storage.items()}
    variables |= {"BASEGATE_AUTH__REQUIRED": "false", "BASEGATE_METADATA__URL": database.url}
    variables |= {"BASEGATE_METADATA__SILENCE_SECONDS": "30", "BASEGATE_LOG__ACCESS": "false"}
    installations = (Installation(folder / name / "data", variables) for name in ("first", "second"))
    first, second = (Node(each, f"127.0.0.1:{free_port()}") for each in installations)
    try:
        first.start()
        second.start()
        yield Cluster((first, second), database)
    finally:
        first.stop()
        second.stop()


def made(name: str) -> MadeImage:
    """An image that is cleared, with a layer of its own."""
    return image(layer(base() | {"etc/marker": name}), _SHARED)


def push(clients: Sequence[httpx.Client], name: str, content: MadeImage) -> bool:
    """Push an image, each blob and the manifest at the next node; whether it was acknowledged."""
    repository, tag = name.split(":")
    where = f"/v2/{repository}"
    try:
        for number, blob in enumerate(content.blobs):
            client = clients[number % len(clients)]
            digest = Digest.of(blob)
            if client.head(f"{where}/blobs/{digest}").status_code == 200:
                continue
            opened = client.post(f"{where}/blobs/uploads/")
            upload = httpx.URL(opened.raise_for_status().headers["location"])
            client.put(upload.copy_merge_params({"digest": digest}), content=blob).raise_for_status()
        head = {"Content-Type": media_types.OCI_MANIFEST}
        client = clients[len(content.blobs) % len(clients)]
        return client.put(f"{where}/manifests/{tag}", content=content.manifest, headers=head).status_code == 201
    except (httpx.HTTPError, KeyError):
        return False


def write(held: Cluster, writer: int, count: int, over: threading.Event) -> None:
    """Push so many images and more until it is over, each until it is acknowledged."""
    with held.client(writer) as first, held.client(writer + 1) as second:
        ways = ([first], [second], [first, second], [second, first])
        for number in itertools.takewhile(lambda number: number < count or not over.is_set(), itertools.count()):
            wait_until(lambda: len(held.acknowledged) < held.allowed, _START_SECONDS)
            name = f"team/app{writer}:v{number}"
            content = made(name)
            for attempt in range(_ATTEMPTS):
                held.attempts += 1
                if push(ways[(number + attempt) % len(ways)], name, content):
                    held.acknowledged[name] = content
                    break
                time.sleep(0.1)


def killing(
    held: Cluster,
    kills: int,
    pushes: int,
    *,
    writers: int = 4,
    seed: int = 0,
    tell: Callable[[], None] = lambda: None,
) -> None:
    """Kill either node so often while at least so many images are pushed; the next kill comes when the node is back.

    Args:
        held: the nodes.
        kills: how often.
        pushes: how many at least.
        writers: how many push at once.
        seed: chooses the nodes.
        tell: called after each kill.
    """
    chosen, over = random.Random(seed), threading.Event()  # noqa: S311 - which node dies next is no secret
    threads = [
        threading.Thread(target=write, args=(held, number, pushes // writers, over)) for number in range(writers)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            held.allowed = len(held.acknowledged) + max(1, pushes // kills)
            wanted = len(held.acknowledged) + max(1, pushes // kills // 2)
            wait_until(partial(has_acknowledged, held, wanted), _START_SECONDS)
            kill_one(held, chosen)
            tell()
    finally:
        over.set()
        held.allowed = math.inf
        for thread in threads:
            thread.join()


def kill_one(held: Cluster, chosen: random.Random) -> None:
    """Kill a node in the middle of an upload, which goes on at the other, and have it back."""
    first = chosen.randrange(2)
    node, other = held.nodes[first], held.nodes[1 - first]
    upload = InterruptedUpload([node.host, other.host])
    held.interrupted.append(upload)
    time.sleep(chosen.random() / 10)
    node.kill()
    upload.go_on()
    node.start()


def cut_off(held: Cluster) -> list[str]:
    """What became of the uploads that did not go on at another node."""
    return [upload.problem for upload in held.interrupted if not upload.ended()]


def has_acknowledged(held: Cluster, count: int) -> bool:
    """Whether so many images were."""
    return len(held.acknowledged) >= count


def lost(held: Cluster) -> list[str]:
    """What was acknowledged and is not served, byte by byte, by both nodes."""
    missing = []
    for number in range(2):
        with held.client(number) as client:
            for name, content in held.acknowledged.items():
                repository, tag = name.split(":")
                paths = {f"/v2/{repository}/manifests/{tag}": content.manifest}
                paths |= {f"/v2/{repository}/blobs/{Digest.of(blob)}": blob for blob in content.blobs}
                missing += [f"{path} at {number}" for path, raw in paths.items() if client.get(path).content != raw]
    return missing


def without_verdict(held: Cluster) -> list[str]:
    """Which acknowledged images one of the nodes does not call cleared."""
    undecided = []
    for number in range(2):
        with held.client(number) as client:
            for name in held.acknowledged:
                body = {"reference": f"{held.nodes[number].host}/{name}"}
                verdict = client.post("/policy/v1/references:check", json=body).json()["verdict"]
                undecided += [f"{name}: {verdict} at {number}"] * (verdict != "cleared")
    return undecided


_LEFT = {
    "transactions that nobody ends": "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'",
    "locks that somebody waits for": "SELECT count(*) FROM pg_locks WHERE NOT granted",
    "nodes that lead beside one another": (
        "SELECT count(*) - 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    ),
    "leases that count": "SELECT count(*) FROM leases WHERE until > extract(epoch FROM clock_timestamp())",
    "uploads that a request has": (
        "SELECT count(*) FROM uploads WHERE holder <> '' AND until > extract(epoch FROM clock_timestamp())"
    ),
    "manifests without a verdict": (
        "SELECT count(*) FROM manifests WHERE NOT EXISTS (SELECT 1 FROM verdicts WHERE manifest = manifests.digest)"
    ),
}


def left(held: Cluster) -> dict[str, int]:
    """What stands in the way of others, by what it is."""
    with held.database.connect({"search_path": f"{RESULTS},public"}, autocommit=True) as connection:
        counts = {what: (connection.execute(query).fetchone() or (0,))[0] for what, query in _LEFT.items()}
    return {what: count for what, count in counts.items() if count}


def when_still(found: Callable[[], dict[str, int]]) -> dict[str, int]:
    """What is found when it does not become less any more: nothing, or what is there after a long time."""
    end = time.monotonic() + _SETTLE_SECONDS
    while (there := found()) and time.monotonic() < end:
        time.sleep(0.5)
    return there


def refused(held: Cluster) -> list[str]:
    """The repositories into which a node does not take the next push."""
    names = {name.partition(":")[0] for name in held.acknowledged}
    answers = []
    for number in range(2):
        with held.client(number) as client:
            new = [(f"{name}:after", made(f"{name} after {number}")) for name in sorted(names)]
            answers += [f"{name} at {number}" for name, each in new if not push([client], name, each)]
    return answers
