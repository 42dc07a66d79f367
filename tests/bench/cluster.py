"""What a cluster costs: `python -m tests.bench.cluster`, processor time of the server process, in interleaved rounds.

First rows in PostgreSQL and blobs in S3 (moto) against rows in SQLite and blobs in files, also without copies of blobs
and with redirects; then 1,000,000 tags in PostgreSQL against 1,000. The database and the store are processes of their
own, and are not counted.
"""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import click

from registry.database.postgres import Database
from tests.bench.basegate import Basegate
from tests.bench.report import title
from tests.bench.rounds import measure
from tests.bench.servers import Door, Running
from tests.bench.workloads import WORKLOADS
from tests.postgres import PostgresServer, postgres_server
from tests.registry.storage.object_servers import moto

OPERATIONS = (
    "push 1 KiB x16",
    "push 4 MiB x64",
    "push tar.gz 64 MiB x2",
    "manifest PUT x16",
    "zb push 1 MB x8",
    "pull 10 MiB x64",
    "manifest GET x16",
    "manifest HEAD x16",
    "blob HEAD x16",
    "tags of 100 x16",
)
PULLS = ("pull 10 MiB x64",)
FLAT = (
    "push 1 KiB x16",
    "manifest PUT x16",
    "manifest GET x16",
    "manifest HEAD x16",
    "blob HEAD x16",
    "tags of 100 x16",
)
PATIENCE = 180.0
"""Seconds that a start may take, on a machine that does much else."""
FEW, MANY = 1_000, 1_000_000
TAGS = 100
"""Of a repository; each of its manifests has ten."""
_FILL = (
    "INSERT INTO repositories (name, created) SELECT 'stock/app-' || n, 1 FROM generate_series(1, {repositories}) n",
    """INSERT INTO manifests (repository_id, digest, media_type, size, artifact_type, config_media_type, referrer_type,
       annotations, pushed, pushed_by, created, content)
       SELECT r.id, 'sha256:' || encode(sha256((r.id || ' ' || n)::bytea), 'hex'),
       'application/vnd.oci.image.manifest.v1+json', 500, '', 'application/vnd.oci.image.config.v1+json', '', '{{}}',
       1, '', 1, '{{}}'::bytea FROM repositories r, generate_series(0, 9) n WHERE r.name LIKE 'stock/%'""",
    """INSERT INTO tags (repository_id, name, digest, created, updated)
       SELECT m.repository_id, 'v' || m.id || '-' || n, m.digest, 1, 1 FROM manifests m, generate_series(0, 9) n
       WHERE m.pushed = 1""",
    """INSERT INTO tag_history (repository, tag, digest, media_type, size, time, deleted, principal)
       SELECT r.name, t.name, t.digest, 'application/vnd.oci.image.manifest.v1+json', 500, 1, false, ''
       FROM tags t JOIN repositories r ON r.id = t.repository_id WHERE t.created = 1""",
    "ANALYZE",
)


@dataclass(frozen=True, slots=True)
class Joined(Basegate):
    """One whose rows are in PostgreSQL and whose blobs are in S3, from a new database and prefix at each start.

    Attributes:
        postgres: where its database is.
        tags: how many are written there before anything is asked.
    """

    postgres: PostgresServer | None = None
    tags: int = 0

    def settings_of(self, folder: Path, database: Database) -> dict[str, str]:
        """What a node of it has in its environment; writes a file with the keys of the store."""
        assert self.postgres is not None
        groups = {"STORAGE": moto().settings(folder), "METADATA": self.postgres.settings(database)}
        return {
            f"BASEGATE_{group}__{name.upper()}": str(value)
            for group, values in groups.items()
            for name, value in values.items()
        }

    def start(self, folder: Path, door: Door) -> Running:
        """Start it, and fill the database beside it."""
        assert self.postgres is not None
        database = self.postgres.new_database()
        environment = {**self.settings_of(folder, database), **self.environment}
        running = Basegate.start(replace(self, environment=environment), folder, door)
        if self.tags:
            fill(database, self.tags)
        return running


def fill(database: Database, tags: int) -> None:
    """Write repositories of 100 tags, each with its history."""
    with database.connect() as connection:
        for statement in _FILL:
            connection.execute(statement.format(repositories=tags // TAGS).encode())


def _pairs(postgres: PostgresServer, many: int) -> list[tuple[Basegate, Basegate, tuple[str, ...]]]:
    """Two servers each, and the workloads that tell them apart."""
    disk, joined = Basegate("disk and SQLite", patience=PATIENCE), Joined("S3", postgres=postgres, patience=PATIENCE)
    few, full = (replace(joined, name=f"{tags:,} tags", tags=tags) for tags in (FEW, many))
    return [
        (disk, replace(joined, name="S3 and PostgreSQL"), OPERATIONS),
        (
            disk,
            replace(joined, name="S3 without copies", environment={"BASEGATE_STORAGE__BLOB_CACHE_BYTES": "0"}),
            PULLS,
        ),
        (disk, replace(joined, name="S3 with redirects", environment={"BASEGATE_STORAGE__REDIRECT": "true"}), PULLS),
        (few, full, FLAT),
    ]


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Interleaved rounds of each workload.")
@click.option("--small", is_flag=True, help="A fraction of a second of each, and few tags: does it run?")
@click.option("--only", default="", help="Workloads whose name contains this.")
def main(rounds: int, small: bool, only: str) -> None:
    """Print the processor time of the second of each pair as a part of the first's."""
    click.echo("| workload | servers | processor time |\n|---|---|---|")
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="basegate-cluster-")))
        postgres = stack.enter_context(postgres_server())
        for first, second, names in _pairs(postgres, FEW * 10 if small else MANY):
            for workload in (each for each in WORKLOADS if title(each) in names and only in title(each)):
                row = measure(workload.small() if small else workload, (first, second), rounds, place)
                ratio = row.ratio(second.name, first.name, "cpu")
                click.echo(f"| {title(workload)} | {second.name} / {first.name} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
