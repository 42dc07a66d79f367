"""Collections on one node beside pushes, mounts and deletes on another; a connection of one is cut at one statement."""

import asyncio
import random
import statistics
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

from obstore.store import MemoryStore
from sqlalchemy import Connection, Table, func, select

from registry.app import RegistryApp, build
from registry.config.settings import RegistrySettings
from registry.database.postgres import Database
from registry.metadata import manifests as rows
from registry.metadata.tables import manifests, repository_blobs
from registry.oci.digest import Digest
from registry.oci.errors import OciError
from registry.oci.names import RepositoryName
from registry.storage.disk.layout import Layout
from registry.storage.objects.bucket import Bucket
from registry.storage.objects.store import ObjectStore
from tests.faulty_wire import FaultyWire
from tests.postgres import PostgresServer
from tests.registry.open_services import OTHER, PUSHER, REPOSITORY, image, pieces

LAYERS = [bytes([number]) * 100 for number in range(4)]
REPOSITORIES = (REPOSITORY, OTHER)
_STRIDE = 37
_TRIALS = 5
_COLLECTED = {"gc": {"grace_seconds": 0, "undo_seconds": 0}}


class Schedule(NamedTuple):
    """One of them.

    Attributes:
        seed: of what the second node does, and when.
        node: whose connection is cut: 0 collects, 1 pushes.
        at: at which of its waits for an answer; 0: none is cut.
        runs: whether the statement is run all the same.
    """

    seed: int
    node: int
    at: int
    runs: bool


def schedules(count: int, lengths: tuple[int, int]) -> Iterator[Schedule]:
    """Either node at every statement of it, run or not, in a mixed order; then again with other seeds.

    Args:
        count: how many.
        lengths: how often each node waits for an answer.
    """
    for number in range(count):
        node, length = number % 2, lengths[number % 2]
        yield Schedule(number, node, 1 + number // 4 * _STRIDE % length, number // 2 % 2 == 0)


@dataclass
class Pair:
    """Two nodes over one database and one object store.

    Attributes:
        nodes: the first collects, the second pushes.
        wires: their ways to the database.
        lost: what was acknowledged and is not there, or not at both.
        leaked: what nothing refers to, and stays.
    """

    nodes: tuple[RegistryApp, RegistryApp]
    wires: tuple[FaultyWire, FaultyWire]
    lost: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)

    async def lengths(self) -> tuple[int, int]:
        """How often each node waits for an answer in one schedule, the median of some: first ones take longer."""
        found = []
        for seed in range(_TRIALS):
            for wire in self.wires:
                wire.arm(0, runs=False)
            chance = random.Random(seed)  # noqa: S311
            pushing = asyncio.ensure_future(self._push(chance, {}))
            await self._collect_until(pushing, chance)
            await pushing
            found.append([wire.waits for wire in self.wires])
            await self._remove_all()
        collecting, pushed = (int(statistics.median(waits)) for waits in zip(*found, strict=True))
        return collecting, pushed

    async def follow(self, schedule: Schedule) -> bool:
        """Carry out a schedule, look at what is left, and remove it; whether the connection was cut."""
        chance, held = random.Random(schedule.seed), dict[tuple[RepositoryName, bytes], list[bytes]]()  # noqa: S311
        self.wires[schedule.node].arm(schedule.at, runs=schedule.runs)
        pushing = asyncio.ensure_future(self._push(chance, held))
        await self._collect_until(pushing, chance)
        await pushing
        was_cut = self.wires[schedule.node].has_cut
        self.wires[schedule.node].arm(0, runs=False)
        for (repository, raw), layers in held.items():
            self.lost += [f"{schedule}: {each}" for each in await self._absent(repository, raw, layers)]
        await self._remove_all()
        self.leaked += [f"{schedule}: {each}" for each in await self._left()]
        return was_cut

    async def _collect_until(self, pushing: "asyncio.Future[None]", chance: random.Random) -> None:
        while not pushing.done():
            with suppress(OciError):
                await self.nodes[0].services.collector.run()
            await asyncio.sleep(chance.random() / 100)

    async def _push(self, chance: random.Random, held: dict[tuple[RepositoryName, bytes], list[bytes]]) -> None:
        """Push images out of a few layers, and delete some again; what `held` tells was acknowledged."""
        for _ in range(3):
            repository, layers = chance.choice(REPOSITORIES), chance.sample(LAYERS, 2)
            raw, services = image(layers), self.nodes[1].services
            with suppress(OciError):  # refused, or nobody knows: nothing is promised then
                for content in (b"{}", *layers):
                    await self._bring(chance, repository, content)
                await services.manifests.push(PUSHER, repository, Digest.of(raw), raw, "")
                held[repository, raw] = layers
            if chance.random() < 0.3 and held.pop((repository, raw), []):
                with suppress(OciError):
                    await services.manifests.delete(repository, Digest.of(raw))

    async def _bring(self, chance: random.Random, repository: RepositoryName, content: bytes) -> None:
        services, digest = self.nodes[1].services, Digest.of(content)
        mounted = chance.random() < 0.5 and await services.blobs.mount(PUSHER, repository, digest, None, _anybody)
        if not mounted:
            session = await services.uploads.start(repository, PUSHER)
            await services.uploads.finish(session, digest, pieces(content), None, len(content))

    async def _absent(self, repository: RepositoryName, raw: bytes, layers: list[bytes]) -> list[str]:
        """What of an image a node does not have, byte for byte."""
        found = []
        for number, node in enumerate(self.nodes):
            if await node.services.stores.metadata.read(rows.content, repository, Digest.of(raw)) != raw:
                found.append(f"manifest {Digest.of(raw)} at node {number}")
            for content in (b"{}", *layers):
                try:
                    blob = await node.services.blobs.pull(PUSHER, repository, Digest.of(content))
                    read = b"".join([piece async for piece in node.services.blobs.read(blob, 0, blob.size)])
                except OciError:
                    read = b""
                if read != content:
                    found.append(f"blob {Digest.of(content)} at node {number}")
        return found

    async def _remove_all(self) -> None:
        """Every manifest, those too of which nobody was told that they are there; and what only they needed."""
        for repository in REPOSITORIES:
            for raw in (image([one, other]) for one in LAYERS for other in LAYERS if one != other):
                with suppress(OciError):
                    await self.nodes[1].services.manifests.delete(repository, Digest.of(raw))
        await self.nodes[0].services.collector.run()

    async def _left(self) -> list[str]:
        """What is there although nothing refers to it."""
        stores = self.nodes[0].services.stores
        found = [f"object {digest}" for digest in stores.storage.digests("")]  # type: ignore[attr-defined]
        for table in (manifests, repository_blobs):
            count = await stores.metadata.read(_count, table)
            found += [f"{count} rows of {table.name}"] if count else []
        return found


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _anybody(_name: RepositoryName) -> bool:
    return True


@contextmanager
def pair_of_nodes(postgres: PostgresServer) -> Iterator[Pair]:
    """Over a new database, and a store that is in memory, as both see it."""
    database, bucket = postgres.new_database(), Bucket(cast("Any", MemoryStore()), 5 << 20)
    with ExitStack() as opened:
        wires, nodes = [], []
        for _ in range(2):
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
            wires.append(FaultyWire(folder, postgres.folder))
            opened.callback(wires[-1].close)
            nodes.append(_node(folder / "data", database, folder, bucket, opened))
        yield Pair((nodes[0], nodes[1]), (wires[0], wires[1]))


def _node(data: Path, database: Database, wire: Path, bucket: Bucket, opened: ExitStack) -> RegistryApp:
    url = f"{database.url.partition('?')[0]}?host={wire}"
    metadata = {"url": url, "silence_seconds": 30, "connections": 4}
    settings = RegistrySettings.model_validate(
        {"data": data, "metadata": metadata, "audit": {"enabled": False}, **_COLLECTED}
    )
    data.mkdir()
    layout = Layout(data)
    layout.prepare()
    pool = opened.enter_context(ThreadPoolExecutor(4))
    node = build(settings, blobs=ObjectStore(data, layout, bucket, pool))
    opened.callback(node.close)
    return node
