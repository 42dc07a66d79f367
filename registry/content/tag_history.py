"""Tag history: what a tag pointed at, for whoever may pull it, and going back to it."""

from dataclasses import dataclass

from sqlalchemy import Connection

from registry.auth.principals import Principal
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.gate import Gate
from registry.metadata import events, locks, manifests, repositories, tag_history, tags, transactions
from registry.metadata.store import MetadataStore
from registry.metadata.tag_history import Entry, Span
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.errors import ManifestUnknown
from registry.oci.names import RepositoryName, Tag


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Entries of a tag, the newest first; `below`: the id before which others follow, or `None`."""

    entries: tuple[Entry, ...]
    below: int | None


class TagHistory:
    """Lists what tags pointed at, without what the gate withholds."""

    def __init__(self, metadata: MetadataStore, settings: SettingsInForce[RegistrySettings], gate: Gate) -> None:
        self._metadata = metadata
        self._settings = settings
        self._gate = gate

    async def page(
        self, principal: Principal, repository: RepositoryName, tag: Tag, span: Span, n: int | None
    ) -> HistoryPage:
        """At most `n` entries. A page may have fewer, or none, although others follow.

        Raises:
            ManifestUnknown: the tag has no history.
        """
        largest = self._settings.current.history.page
        count = largest if n is None else min(n, largest)
        whole = await self._metadata.read(page_of, repository, tag, span, count)
        withheld = await self._withheld(principal, repository, {entry.digest for entry in whole.entries})
        return HistoryPage(tuple(entry for entry in whole.entries if entry.digest not in withheld), whole.below)

    async def _withheld(self, principal: Principal, repository: RepositoryName, digests: set[Digest]) -> set[Digest]:
        return set(await self._gate.withheld_now(principal, repository, digests))


def page_of(connection: Connection, repository: RepositoryName, tag: Tag, span: Span, count: int) -> HistoryPage:
    """At most `count` entries, whoever asks. Raises ManifestUnknown when the tag has no history."""
    if not tag_history.exists_of(connection, repository, tag):
        raise ManifestUnknown(f"{repository} has had no tag {tag} since its history is kept", {"tag": tag})
    if not count:
        return HistoryPage((), None)
    found = tag_history.page(connection, repository, tag, span, count + 1)
    return HistoryPage(tuple(found[:count]), found[count - 1].id if len(found) > count else None)


def roll_back(connection: Connection, at: ChangeContext, tag: Tag, target: Digest, *, frozen: bool) -> Digest | None:
    """Point a tag at a manifest of its repository again; returns what it pointed at before, `None` for nothing.

    One transaction, and one event; none where the tag points there already. `frozen`: the tag is immutable.

    Raises:
        ManifestUnknown: the manifest is not in the repository any more, or the tag has never pointed at it.
        Denied: the tag is immutable.
        Locked: the tag or the repository is locked against writes.
    """
    here = repositories.find(connection, at.repository)
    if here is None or not manifests.present(connection, here, [target]):
        raise ManifestUnknown(
            f"{target} is not in {at.repository} any more: push it again, or bring it back from the trash",
            {"digest": target},
        )
    if not tag_history.page(connection, at.repository, tag, Span(digest=target), 1):
        raise ManifestUnknown(f"{at.repository}:{tag} has never pointed at {target}", {"tag": tag, "digest": target})
    before = tags.current(connection, here, tag)
    if before == target:
        return before
    if frozen and before is not None:
        raise transactions.immutable(at.repository, tag, before)
    locks.require_writable(connection, at.repository)
    locks.require_unlocked(connection, here, at.repository, (tag,), removes=False)
    tags.point(connection, here, tag, target, at.now, is_new=before is None)
    events.record(connection, at.now, [transactions.tag_set(at, tag, target, before)])
    return before


def target_at(connection: Connection, repository: RepositoryName, tag: Tag, moment: float) -> Digest:
    """What a tag pointed at, at a time (seconds since the epoch). Raises ManifestUnknown when that is not known."""
    entry = tag_history.at(connection, repository, tag, moment)
    if entry is None:
        raise ManifestUnknown(f"the history of {repository}:{tag} does not go back so far", {"tag": tag})
    if entry.deleted:
        raise ManifestUnknown(f"{repository}:{tag} was deleted then", {"tag": tag})
    return entry.digest


def target_before(connection: Connection, repository: RepositoryName, tag: Tag) -> Digest:
    """What a tag pointed at before what it points at now, or before it was deleted. Raises ManifestUnknown."""
    earlier = tag_history.latest_other(connection, repository, tag, tags.find(connection, repository, tag))
    if earlier is None:
        raise ManifestUnknown(f"{repository}:{tag} has not pointed at anything else before", {"tag": tag})
    return earlier.digest
