"""The workloads, on one screen."""

from dataclasses import dataclass, replace

from tests.bench.payloads import Kind
from tests.bench.servers import Door

MIB = 1 << 20
REFERENCE = "distribution"
ALONE = "registry-alone"
"""basegate's registry without its policy."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the table.

    Attributes:
        name: what a person calls it.
        flow: what each client does; a name in `flows.FLOWS` or `questions.QUESTIONS`.
        clients: connections at once.
        size: bytes of one blob.
        count: operations a client and round.
        turns: rounds of this row for each round of the run, where one alone is at the mercy of the disk.
        seconds: length of a round where operations are not counted.
        kind: what the bytes are.
        goal: the ratio to `against` this project aims at; 0 where none is set.
        door: how the server is spoken to.
        without: servers that have no such thing.
        servers: those measured, where not the usual ones.
        against: the server ours is compared with.
        meanwhile: manifest GETs a second on 16 connections while this goes on; how long they wait is measured too.
        peak_goal: MiB of memory that our server should stay below; 0 where none is set.
    """

    name: str
    flow: str
    clients: int
    size: int = 0
    count: int = 1
    turns: int = 1
    seconds: float = 0.0
    kind: Kind = "random"
    goal: float = 0.0
    door: Door = "open"
    without: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    against: str = REFERENCE
    meanwhile: float = 0.0
    peak_goal: int = 0

    @property
    def unit(self) -> str:
        """What its rate is counted in."""
        return "op/s" if self.seconds or self.flow == "put_manifest" or self.size <= 1024 else "MiB/s"

    @property
    def bytes(self) -> int:
        """How much content one round moves at most."""
        return self.clients * self.size * self.count

    def small(self) -> "Workload":
        """The same in a fraction of a second, to see that it runs."""
        return replace(
            self,
            clients=min(self.clients, 4),
            size=max(self.size >> 8, min(self.size, 1024)),
            count=min(self.count, 2),
            turns=1,
            seconds=min(self.seconds, 0.1),
        )


LOOP = 1.0
"""Seconds of one round of small requests."""

NO_REFERRERS = ("distribution", "docker-registry")

WORKLOADS = (
    Workload("push 256 MiB", "push", 1, 256 * MIB, count=2, turns=2, goal=1.8),
    Workload("push 128 MiB", "push", 4, 128 * MIB, turns=2, goal=1.8),
    Workload("push 4 MiB", "push", 64, 4 * MIB, count=2, turns=2, goal=1.8),
    Workload("push streamed 128 MiB", "push_streamed", 4, 128 * MIB, turns=2, goal=1.3),
    Workload("push in 8 MiB PATCHes", "push_patched", 4, 128 * MIB, turns=2, goal=1.8),
    Workload("push tar.gz 64 MiB", "push", 2, 64 * MIB, kind="gzip"),
    Workload("push tar.zstd 64 MiB", "push", 2, 64 * MIB, kind="zstd"),
    Workload("push 1 KiB", "push", 16, 1024, count=40, turns=2, goal=8),
    Workload("push 1 KiB", "push", 64, 1024, count=10, turns=2, goal=8),
    Workload("pull 256 MiB", "pull", 1, 256 * MIB, count=12, turns=2, goal=1.8),
    Workload("pull 64 MiB", "pull", 8, 64 * MIB, count=6, goal=1.5),
    Workload("pull 10 MiB", "pull", 64, 10 * MIB, count=5, goal=1.5, peak_goal=120),
    Workload("range 1 MiB", "ranges", 8, MIB, count=120, turns=2, goal=3),
    Workload("GET /v2/", "version", 16, seconds=LOOP),
    Workload("GET /v2/", "version", 64, seconds=LOOP),
    Workload("manifest GET", "get_manifest", 16, seconds=LOOP),
    Workload("manifest GET", "get_manifest", 64, seconds=LOOP),
    Workload("manifest GET, token", "get_manifest", 16, seconds=LOOP, goal=4, door="token"),
    Workload("manifest GET, token", "get_manifest", 64, seconds=LOOP, goal=4, door="token"),
    Workload("manifest GET, pull-only token", "get_manifest", 64, seconds=LOOP, goal=4, door="pull"),
    Workload("manifest HEAD", "head_manifest", 16, seconds=LOOP),
    Workload("manifest HEAD", "head_manifest", 64, seconds=LOOP),
    Workload("manifest HEAD, token", "head_manifest", 16, seconds=LOOP, goal=4, door="token"),
    Workload("manifest HEAD, token", "head_manifest", 64, seconds=LOOP, goal=4, door="token"),
    Workload("blob HEAD", "head_blob", 16, seconds=LOOP),
    Workload("blob HEAD", "head_blob", 64, seconds=LOOP),
    Workload("tags of 100", "tags", 16, seconds=LOOP, goal=4),
    Workload("tags of 100", "tags", 64, seconds=LOOP, goal=4),
    Workload("referrers, 10", "referrers", 16, seconds=LOOP, without=NO_REFERRERS),
    Workload("referrers, 10", "referrers", 64, seconds=LOOP, without=NO_REFERRERS),
    Workload("catalog of 100", "catalog", 16, seconds=LOOP, door="secret"),
    Workload("catalog of 100", "catalog", 64, seconds=LOOP, door="secret"),
    Workload("manifest PUT", "put_manifest", 16, count=40, turns=2, goal=8),
    Workload("manifest PUT", "put_manifest", 64, count=10, turns=2, goal=8),
    Workload("zb push 1 MB", "push_image", 8, 1_000_000, count=8, kind="gzip"),
    Workload("zb push 10 MB", "push_image", 8, 10_000_000, count=2, kind="gzip"),
    Workload("zb push 100 MB", "push_image", 8, 100_000_000, kind="gzip"),
    Workload("zb push assorted", "push_assorted", 8, 100_000_000, kind="gzip"),
    Workload("zb push streamed 10 MB", "push_image_streamed", 8, 10_000_000, count=2, kind="gzip"),
    Workload("zb pull 1 MB", "pull_image", 8, 1_000_000, count=20, kind="gzip"),
    Workload("zb pull 10 MB", "pull_image", 8, 10_000_000, count=8, kind="gzip"),
    Workload("zb pull 100 MB", "pull_image", 8, 100_000_000, kind="gzip"),
    Workload("zb pull assorted", "pull_assorted", 8, 100_000_000, count=4, kind="gzip"),
    Workload("zb mixed 1 MB", "mixed", 8, 1_000_000, count=12, kind="gzip"),
    Workload("zb mixed 10 MB", "mixed", 8, 10_000_000, count=4, kind="gzip"),
    Workload("zb mixed 100 MB", "mixed", 8, 100_000_000, kind="gzip"),
    Workload("push 128 MiB, TLS", "push", 1, 128 * MIB, count=2, turns=2, door="tls"),
    Workload("pull 128 MiB, TLS", "pull", 1, 128 * MIB, count=6, turns=2, door="tls"),
    *(
        Workload(
            name,
            flow,
            clients,
            64 * MIB,
            count=8 // clients,
            turns=2,
            kind="gzip",
            goal=goal,
            servers=("basegate", ALONE),
            against=ALONE,
            meanwhile=200,
        )
        for name, flow, goal in (("push tar.gz 64 MiB", "push", 0.8), ("push image of 64 MiB", "push_image", 0.0))
        for clients in (1, 2)
    ),
)
