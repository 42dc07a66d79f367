"""Catalog: the list of repositories that a caller may see, page by page."""

import asyncio
from collections.abc import Callable

from registry.metadata import repositories
from registry.metadata.store import MetadataStore
from registry.oci.names import RepositoryName
from registry.pages import Page
from registry.settings import RegistrySettings, SettingsInForce

# Rows for one look: a caller who sees few of many repositories must not hold up the others.
_STRIDE = 1000


class Catalog:
    """Lists repositories in the order of their bytes (distribution's `_catalog`)."""

    def __init__(self, metadata: MetadataStore, settings: SettingsInForce[RegistrySettings]) -> None:
        self._metadata = metadata
        self._settings = settings

    async def page(self, visible: Callable[[RepositoryName], bool], n: int | None, last: str) -> Page[RepositoryName]:
        """At most `n` visible names behind `last`; `n` has a default and a largest value among the settings."""
        limits = self._settings.current.limits
        count = min(limits.catalog_page if n is None else n, limits.catalog_page_maximum)
        found = await self._visible(visible, last, count + 1) if count else []
        return Page(tuple(found[:count]), more=len(found) > count > 0)

    async def _visible(self, visible: Callable[[RepositoryName], bool], last: str, count: int) -> list[RepositoryName]:
        found: list[RepositoryName] = []
        stride = count
        while len(found) < count:
            names = await self._metadata.read(repositories.page, last, stride)
            found += [name for name in names if visible(name)]
            if len(names) < stride:
                break
            last, stride = names[-1], _STRIDE
            await asyncio.sleep(0)
        return found[:count]
