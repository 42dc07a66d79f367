"""Acts on repositories, tags and manifests. A list comes in pages: behind `next` the following one begins."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from registry.administration.act import BASE, Act, Holdings
from registry.administration.documents import (
    manifest_document,
    repository_document,
    tag_document,
    whole_manifest_document,
)
from registry.auth.principals import everybody
from registry.content.attributes import LOCKED, UNLOCKED, Attributes
from registry.content.immutability import immutable_in
from registry.metadata import listings, transactions
from registry.metadata.listings import ManifestSummary, TagCard
from registry.metadata.transactions import ChangeContext
from registry.oci.names import Reference, RepositoryName, Tag

REPOSITORIES = f"{BASE}/repositories"
PAGE = 1000
"""Entries of one page, at most."""


def list_repositories(after: str = "") -> Act:
    """`{"repositories": [NAME], "next"}`, in the order of their bytes."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return names_document(await holdings.metadata.read(listings.names, after, PAGE + 1))

    return Act("GET", REPOSITORIES, here, _after(after))


def show_repository(name: RepositoryName) -> Act:
    """A repository in numbers."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return repository_document(await holdings.metadata.read(listings.repository, name))

    return Act("GET", path_of(name), here)


def delete_repository(name: RepositoryName) -> Act:
    """`{"repository", "tags", "manifests"}`: what is gone, in numbers."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        gone = await holdings.metadata.write(transactions.drop_repository, _now(name), _immutable(holdings, name))
        return {"repository": name, "tags": len(gone.tags), "manifests": len(gone.manifests)}

    return Act("DELETE", path_of(name), here)


def list_tags(name: RepositoryName, after: str = "") -> Act:
    """`{"tags": [TAG], "next"}`, in the order of their bytes."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return tags_document(await holdings.metadata.read(listings.tags_of, name, after, PAGE + 1))

    return Act("GET", path_of(name, "_tags"), here, _after(after))


def show_tag(name: RepositoryName, tag: Tag) -> Act:
    """One tag."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return tag_document(await holdings.metadata.read(listings.tag, name, tag))

    return Act("GET", path_of(name, "_tags", tag), here)


def delete_tag(name: RepositoryName, tag: Tag) -> Act:
    """Remove a tag alone, its manifest stays: `{"tag", "digest"}`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        card = await holdings.metadata.read(listings.tag, name, tag)
        await holdings.metadata.write(transactions.drop_tag, _now(name), tag, _immutable(holdings, name))
        return {"tag": tag, "digest": card.digest}

    return Act("DELETE", path_of(name, "_tags", tag), here)


def lock_tag(name: RepositoryName, tag: Tag, *, locked: bool) -> Act:
    """Lock a tag against moves and deletes, or end that: the tag."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        await Attributes(holdings.metadata).lock(everybody(), name, tag, LOCKED if locked else UNLOCKED)
        return tag_document(await holdings.metadata.read(listings.tag, name, tag))

    return Act("PATCH", path_of(name, "_tags", tag), here, body={"locked": locked})


def list_manifests(name: RepositoryName, after: str = "") -> Act:
    """`{"manifests": [MANIFEST], "next"}`, in the order of their digests."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return manifests_document(await holdings.metadata.read(listings.manifests_of, name, after, PAGE + 1))

    return Act("GET", path_of(name, "_manifests"), here, _after(after))


def show_manifest(name: RepositoryName, reference: Reference) -> Act:
    """One manifest, by tag or digest."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return whole_manifest_document(await holdings.metadata.read(listings.manifest, name, reference))

    return Act("GET", path_of(name, "_manifests", reference), here)


def delete_manifest(name: RepositoryName, reference: Reference) -> Act:
    """Remove a manifest with all its tags: `{"digest", "tags"}`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        card = await holdings.metadata.read(listings.manifest, name, reference)
        await holdings.metadata.write(transactions.drop_manifest, _now(name), card.digest, _immutable(holdings, name))
        return gone_document(card)

    return Act("DELETE", path_of(name, "_manifests", reference), here)


def path_of(name: RepositoryName, *rest: str) -> str:
    """The path of something in a repository."""
    return "/".join([REPOSITORIES, name, *(quote(part, safe=":") for part in rest)])


def names_document(names: list[RepositoryName], count: int = PAGE) -> dict[str, Any]:
    """A page of names; `names` has one more than `count` when there are more."""
    return {"repositories": list(names[:count]), "next": names[count - 1] if len(names) > count else ""}


def tags_document(cards: list[TagCard], count: int = PAGE) -> dict[str, Any]:
    """A page of tags."""
    more = cards[count - 1].name if len(cards) > count else ""
    return {"tags": [tag_document(card) for card in cards[:count]], "next": more}


def manifests_document(cards: list[ManifestSummary], count: int = PAGE) -> dict[str, Any]:
    """A page of manifests."""
    more = cards[count - 1].digest if len(cards) > count else ""
    return {"manifests": [manifest_document(card) for card in cards[:count]], "next": more}


def gone_document(card: ManifestSummary) -> dict[str, Any]:
    """What went with a manifest."""
    return {"digest": card.digest, "tags": list(card.tags)}


def _after(after: str) -> dict[str, str]:
    return {"last": after} if after else {}


def _now(name: RepositoryName) -> ChangeContext:
    return ChangeContext(name, "", time.time())


def _immutable(holdings: Holdings, name: RepositoryName) -> Callable[[Tag], bool]:
    return immutable_in(holdings.settings.current, name)
