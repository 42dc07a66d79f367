"""Catalog: the list of repositories that a caller may see, page by page."""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator

from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.page import Page
from registry.metadata import repositories
from registry.metadata.store import MetadataStore
from registry.oci.names import RepositoryName

# Rows per query: a caller who sees few of many repositories must not delay other requests.
_STRIDE = 1000
_WILDCARD = re.compile(r"[*?\[]")


class Catalog:
    """Lists repositories in the order of their bytes (distribution's `_catalog`)."""

    def __init__(self, metadata: MetadataStore, settings: SettingsInForce[RegistrySettings]) -> None:
        self._metadata = metadata
        self._settings = settings

    async def page(
        self,
        visible: Callable[[RepositoryName], bool],
        n: int | None,
        last: str,
        patterns: Iterable[str] = ("*",),
    ) -> Page[RepositoryName]:
        """A page of names.

        Args:
            visible: whether the caller may see a repository.
            n: how many at most; there is a default and a largest value among the settings.
            last: the name behind which the page begins; it need not exist.
            patterns: every visible name matches one of them; only matching names are read.
        """
        limits = self._settings.current.limits
        count = min(limits.catalog_page if n is None else n, limits.catalog_page_maximum)
        names: list[RepositoryName] = []
        for prefix in _prefixes(patterns):
            names += await self._visible(visible, prefix, last, count + 1 - len(names))
        return Page(tuple(names[:count]), more=len(names) > count > 0)

    async def _visible(
        self, visible: Callable[[RepositoryName], bool], prefix: str, last: str, count: int
    ) -> list[RepositoryName]:
        """At most `count` visible names with a prefix behind `last`."""
        shown: list[RepositoryName] = []
        end = prefix + repositories.BEHIND_ALL
        after = max(last, _just_before(prefix))
        stride = count
        while len(shown) < count and after < end:
            names = await self._metadata.read(repositories.listed, after, stride, end)
            shown += [name for name in names if visible(name)]
            if len(names) < stride:
                break
            after, stride = names[-1], _STRIDE
            await asyncio.sleep(0)
        return shown[:count]


def _prefixes(patterns: Iterable[str]) -> Iterator[str]:
    """The text before the first wildcard of each pattern, in order, without prefixes that another one covers."""
    covering: str | None = None
    for prefix in sorted({_WILDCARD.split(pattern, maxsplit=1)[0] for pattern in patterns}):
        if covering is None or not prefix.startswith(covering):
            covering = prefix
            yield prefix


def _just_before(prefix: str) -> str:
    """A text that sorts just before the first name with this prefix."""
    return prefix[:-1] + chr(ord(prefix[-1]) - 1) + repositories.BEHIND_ALL if prefix else ""
