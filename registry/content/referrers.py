"""Referrers: the manifests that name another as their subject, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from registry.auth.principals import Principal
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.derived import NOTHING_DERIVED, DerivedContent
from registry.content.pull_through import NO_PULL_THROUGH, PullThrough
from registry.gate import Gate
from registry.metadata import manifests
from registry.metadata import referrers as rows
from registry.metadata.referrers import ReferrerRow
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from registry.oci.names import RepositoryName

# Rows per query.
_STRIDE = 500


@dataclass(frozen=True, slots=True)
class ReferrersPage:
    """Part of a referrers list.

    Attributes:
        entries: descriptors for the index, each as JSON in ASCII (distribution-spec, "Listing Referrers").
        more: whether others follow.
        last: the digest after which they follow.
    """

    entries: Sequence[str]
    more: bool
    last: str


class ReferrersList:
    """Lists referrers by digest, without those that the gate withholds."""

    def __init__(
        self,
        metadata: MetadataStore,
        settings: SettingsInForce[RegistrySettings],
        gate: Gate,
        derived: DerivedContent = NOTHING_DERIVED,
        pull_through: PullThrough = NO_PULL_THROUGH,
    ) -> None:
        self._pull_through = pull_through
        self._metadata = metadata
        self._derived = derived
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
        """The referrers after the digest `last` that fit a page; `artifact_type` "" means any.

        An unknown repository or subject gives an empty page, never an error.

        Raises:
            Denied: the subject is a manifest of the repository that the gate withholds from this principal.
        """
        if self._pull_through.covers(repository):
            await self._pull_through.bring_referrers(repository, subject)
        derived: Sequence[ReferrerRow] = ()
        is_here = await self._require_subject(principal, repository, subject)
        if is_here:
            derived = await self._derived.referrers(repository, subject, artifact_type)
        own = {row.digest for row in derived}
        room = _Room(n, self._settings.current.limits.referrers_page_bytes)
        entries: list[str] = []
        stride = _STRIDE if n is None else min(_STRIDE, n + 1)
        while batch := _merged(
            await self._metadata.read(rows.page, repository, subject, artifact_type, after=last, count=stride),
            derived,
            last,
        ):
            fitting = room.take(batch)
            stored = [row.digest for row in fitting if row.digest not in own]
            withheld = await self._gate.withheld(principal, repository, stored)
            replaced = await self._derived.replaced(repository, subject, stored) if is_here else ()
            entries += [row.entry for row in fitting if row.digest not in withheld and row.digest not in replaced]
            last = fitting[-1].digest if fitting else last
            if len(fitting) < len(batch):
                return ReferrersPage(entries, more=True, last=last)
        return ReferrersPage(entries, more=False, last=last)

    async def _require_subject(self, principal: Principal, repository: RepositoryName, subject: Digest) -> bool:
        """Whether the subject is in the repository; raises Denied when it is withheld."""
        if await self._metadata.read(manifests.find, repository, subject) is None:
            return False
        decision = await self._gate.before_manifest_pull(principal, repository, subject, None)
        if not decision.allowed:
            raise Denied(f"the referrers of {subject} are withheld with it: {decision.message}", decision.detail)
        return True


def _merged(stored: Sequence[ReferrerRow], derived: Sequence[ReferrerRow], after: str) -> Sequence[ReferrerRow]:
    """Stored rows with the derived ones among them; behind the last stored row only where none is left.

    More stored rows may follow a batch, and all go by their digests.
    """
    if not derived:
        return stored
    last = stored[-1].digest if stored else None
    there = {row.digest for row in stored}  # copies of derived ones that somebody has pushed
    between = [row for row in derived if after < row.digest not in there and (last is None or row.digest < last)]
    return sorted((*stored, *between)) if between else stored


class _Room:
    """The room left on a page: entries, and bytes of JSON."""

    def __init__(self, entries: int | None, size: int) -> None:
        self._entries = entries
        self._bytes = size
        self._first = True

    def take(self, rows: Sequence[ReferrerRow]) -> Sequence[ReferrerRow]:
        """The first of these rows, as many as fit.

        The first row of a page always fits if any entry is allowed, so that every page makes progress.
        """
        wanted = rows[: self._entries]
        for at, row in enumerate(wanted):
            size = len(row.entry) + 2
            if size > self._bytes and not self._first:
                wanted = wanted[:at]
                break
            self._first = False
            self._bytes -= size
        self._entries = None if self._entries is None else self._entries - len(wanted)
        return wanted
