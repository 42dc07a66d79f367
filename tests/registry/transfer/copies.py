"""Copies between sources and the repositories of a data folder, and what came of them."""

from collections.abc import AsyncIterator, Sequence

from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from registry.transfer.contents import Source, SourceImage
from registry.transfer.copying import Copied, Copying
from registry.transfer.events import Event
from registry.transfer.platforms import Selection
from registry.transfer.repository import Repository, Shelf
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices
from tests.registry.transfer.archives import LIMITS


def repository_of(services: OpenServices, name: RepositoryName = REPOSITORY) -> Repository:
    """A repository of a data folder, as a pusher may use it."""
    shelf = Shelf(services.blobs, services.uploads, services.manifests, services.tags, services.referrers)
    return Repository(shelf, PUSHER, name)


class Counting:
    """A source that notes which blobs are read of another."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.read: list[Digest] = []
        self.images, self.manifest, self.holds = source.images, source.manifest, source.holds
        self.referrers, self.close = source.referrers, source.close

    async def blob(self, descriptor: Descriptor, start: int = 0) -> AsyncIterator[bytes]:
        """Note it, and read it."""
        self.read.append(descriptor.digest)
        async for piece in self._source.blob(descriptor, start):
            yield piece


def copied(
    services: OpenServices, source: Source, *platforms: str, name: RepositoryName = REPOSITORY
) -> tuple[list[Copied], list[Event]]:
    """Copy all images of a source, each under its tag."""
    heard: list[Event] = []
    selection = Selection.parse(platforms)

    async def work() -> list[Copied]:
        copying = Copying(source, repository_of(services, name), LIMITS, listener=heard.append, selection=selection)
        try:
            return [await copying.copy(image, image.tag) for image in await source.images()]
        finally:
            await source.close()

    return services.run(work()), heard


def offered(services: OpenServices, source: Source) -> Sequence[SourceImage]:
    """The images of a source."""

    async def work() -> Sequence[SourceImage]:
        try:
            return await source.images()
        finally:
            await source.close()

    return services.run(work())


def tags_of(services: OpenServices, name: RepositoryName = REPOSITORY) -> dict[str, Digest]:
    """Tags and digests of a repository."""
    tags = services.run(services.tag_names(name))
    found = {tag: services.run(repository_of(services, name).digest_of(Tag(tag))) for tag in tags}
    return {tag: digest for tag, digest in found.items() if digest is not None}
