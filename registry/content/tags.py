"""Tags: the list of a repository's tags, page by page."""

from sqlalchemy import Connection

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.page import Page
from registry.metadata import repositories
from registry.metadata import tags as rows
from registry.metadata.store import MetadataStore
from registry.oci.errors import NameUnknown
from registry.oci.names import RepositoryName, Tag


class Tags:
    """Lists tags in the order of their bytes (distribution-spec, "Listing Tags")."""

    def __init__(self, metadata: MetadataStore, settings: SettingsInForce[RegistrySettings]) -> None:
        self._metadata = metadata
        self._settings = settings

    async def page(self, repository: RepositoryName, n: int | None, last: str) -> Page[Tag]:
        """At most `n` tags after `last`, which need not exist; `n` is clipped to the largest page.

        Raises:
            NameUnknown: there is no such repository.
        """
        largest = self._settings.current.limits.tags_page
        count = largest if n is None else min(n, largest)
        names = await self._metadata.read(_page, repository, last, count + 1)
        return Page(tuple(names[:count]), more=0 < count < len(names))


def _page(connection: Connection, repository: RepositoryName, last: str, count: int) -> list[Tag]:
    repository_id = repositories.find(connection, repository)
    if repository_id is None:
        raise NameUnknown(f"this registry holds no repository {repository}", {"name": repository})
    return rows.listed(connection, repository_id, last, count)
