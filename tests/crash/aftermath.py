"""Looking at a data folder after a crash: is what was acknowledged there, and nothing half-written?"""

from pathlib import Path

from sqlalchemy import Connection, select

from registry.metadata.tables import repository_blobs
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from tests.registry.open_services import PUSHER, OpenServices


def acknowledgements(path: Path) -> list[list[str]]:
    """The complete lines of a pusher's log, each split into words."""
    return [line.split() for line in path.read_text().splitlines() if line.count(" ") >= 2]


def lost(services: OpenServices, acknowledged: list[list[str]]) -> list[str]:
    """Acknowledged blobs, manifests and tags that cannot be pulled byte for byte."""
    return [" ".join(words) for words in acknowledged if not services.run(_held(services, words))]


async def _held(services: OpenServices, words: list[str]) -> bool:
    repository = RepositoryName(words[1])
    if words[0] == "blob":
        blob = await services.blobs.pull(PUSHER, repository, digest := Digest(words[2]))
        content = b"".join([piece async for piece in services.blobs.read(blob, 0, blob.size)])
    else:
        manifest = await services.manifests.pull(PUSHER, repository, Tag(words[2]))
        content, digest = manifest.raw, Digest(words[3])
    return Digest.of(content) == digest


def damaged(data: Path) -> list[str]:
    """Visible blobs whose bytes do not have their digest, or that can be written."""
    return [str(path) for path in data.glob("blobs/*/*/*") if not _sound(path)]


def _sound(path: Path) -> bool:
    algorithm = path.parent.parent.name
    return Digest.of(path.read_bytes(), algorithm).encoded == path.name and path.stat().st_mode & 0o777 == 0o444


def dangling(services: OpenServices) -> list[Digest]:
    """Blobs that rows mention and the store does not hold."""
    return [
        digest
        for digest in services.run(services.metadata.read(_mentioned))
        if services.run(services.storage.stat(digest)) is None
    ]


def _mentioned(connection: Connection) -> list[Digest]:
    return [Digest(digest) for digest in connection.execute(select(repository_blobs.c.digest)).scalars()]
