"""Referrers: the list of manifests that name another as their subject, page by page."""

import json
from dataclasses import dataclass
from typing import Any

from registry.auth.principals import Principal
from registry.gate import Gate
from registry.metadata import referrers as rows
from registry.metadata.referrers import ReferrerRow
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.settings import RegistrySettings, SettingsInForce

# Rows for one look.
_STRIDE = 500


@dataclass(frozen=True, slots=True)
class ReferrersPage:
    """Part of a referrers list.

    Attributes:
        descriptors: entries of the index that answers (distribution-spec, "Listing Referrers").
        more: whether others follow.
        last: the digest behind which they do.
    """

    descriptors: list[dict[str, Any]]
    more: bool
    last: str


class ReferrersList:
    """Lists referrers by digest; those that the gate withholds from the caller are left out."""

    def __init__(self, metadata: MetadataStore, settings: SettingsInForce[RegistrySettings], gate: Gate) -> None:
        self._metadata = metadata
        self._settings = settings
        self._gate = gate

    async def page(  # noqa: PLR0913, PLR0917
        self,
        principal: Principal,
        repository: RepositoryName,
        subject: Digest,
        artifact_type: str,
        n: int | None,
        last: str,
    ) -> ReferrersPage:
        """As many referrers behind the digest `last` as fit a page; `artifact_type` "" means any.

        An unknown repository or subject has none: the answer is an empty page, never an error.
        """
        room = _Room(n, self._settings.current.limits.referrers_page_bytes)
        page = ReferrersPage([], more=False, last=last)
        stride = _STRIDE if n is None else min(_STRIDE, n + 1)
        while found := await self._metadata.read(
            rows.page, repository, subject, artifact_type, after=page.last, count=stride
        ):
            for row in found:
                if not room.takes(row):
                    return ReferrersPage(page.descriptors, more=True, last=page.last)
                page = ReferrersPage(page.descriptors, more=False, last=row.digest)
                if (await self._gate.before_manifest_pull(principal, repository, row.digest, None)).allowed:
                    page.descriptors.append(row.descriptor)
        return page


class _Room:
    """What still fits a page: entries, and bytes of the JSON in which they travel."""

    def __init__(self, entries: int | None, size: int) -> None:
        self._entries = entries
        self._bytes = size
        self._first = True

    def takes(self, row: ReferrerRow) -> bool:
        """Whether the row fits; the first always does when any entry may come, so that every page leads on."""
        size = len(json.dumps(row.descriptor)) + 2
        if self._entries == 0 or (size > self._bytes and not self._first):
            return False
        self._first = False
        self._bytes -= size
        self._entries = None if self._entries is None else self._entries - 1
        return True
