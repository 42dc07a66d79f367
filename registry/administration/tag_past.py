"""Acts on the past of a tag: what it pointed at, and going back to it."""

import time
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from registry.administration.act import Act, Holdings
from registry.administration.content import path_of
from registry.content import tag_history as service
from registry.content.immutability import immutable_in
from registry.content.tag_history import HistoryPage
from registry.metadata.tag_history import Span
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from registry.oci.timestamp import exact_timestamp


def list_history(name: RepositoryName, tag: Tag, count: int, after: str = "") -> Act:
    """`{"entries": [{"digest", "media_type", "size", "time", "deleted", "principal"}], "next"}`, the newest first.

    At most `count` (`history.page` if that is less); behind `next` the following page begins.
    """
    span = Span(below=int(after) if after else None)

    async def here(holdings: Holdings) -> dict[str, Any]:
        most = min(count, holdings.settings.current.history.page)
        return history_document(await holdings.metadata.read(service.page_of, name, tag, span, most))

    query = {"n": str(count)} | ({"last": after} if after else {})
    return Act("GET", path_of(name, "_tags", tag, "_history"), here, query)


def show_past(name: RepositoryName, tag: Tag, at: float) -> Act:
    """What a tag pointed at, at a time (seconds since the epoch): `{"repository", "tag", "digest", "at"}`."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return past_document(name, tag, await holdings.metadata.read(service.target_at, name, tag, at), at)

    return Act("GET", path_of(name, "_tags", tag, "_history"), here, {"at": exact_timestamp(at)})


def roll_back(name: RepositoryName, tag: Tag, target: Digest | None, at: float | None) -> Act:
    """Point a tag at what it pointed at before: `{"repository", "tag", "digest", "before"}`.

    `before` is "" when it was not there. To `target`, else to what was there at a time, else to what was there before
    the present manifest.
    """

    async def here(holdings: Holdings) -> dict[str, Any]:
        frozen = immutable_in(holdings.settings.current, name)(tag)
        context = ChangeContext(name, "", time.time(), cause="rollback")
        return await holdings.metadata.write(rolled_back, context, tag, target, at, frozen=frozen)

    body = {"to": target} if target is not None else {"at": exact_timestamp(at)} if at is not None else {}
    return Act("POST", path_of(name, "_tags", tag, "_rollback"), here, body=body)


def rolled_back(  # noqa: PLR0913
    connection: Connection, context: ChangeContext, tag: Tag, target: Digest | None, at: float | None, *, frozen: bool
) -> dict[str, Any]:
    """Roll back in one transaction; raises as `registry.content.tag_history.roll_back` does."""
    name = context.repository
    target = target_of(connection, name, tag, target, at)
    before = service.roll_back(connection, context, tag, target, frozen=frozen)
    return {"repository": name, "tag": tag, "digest": target, "before": before or ""}


def target_of(
    connection: Connection, name: RepositoryName, tag: Tag, target: Digest | None, at: float | None
) -> Digest:
    """Where a rollback goes: to `target`, to what was there at a time, or before. Raises ManifestUnknown."""
    if target is not None:
        return target
    return service.target_before(connection, name, tag) if at is None else service.target_at(connection, name, tag, at)


def history_document(page: HistoryPage) -> dict[str, Any]:
    """A page of the entries of a tag."""
    told = [asdict(entry) | {"time": exact_timestamp(entry.time)} for entry in page.entries]
    for each in told:
        del each["id"]
    return {"entries": told, "next": "" if page.below is None else str(page.below)}


def past_document(name: RepositoryName, tag: Tag, digest: Digest, at: float) -> dict[str, Any]:
    """What a tag pointed at, at a time."""
    return {"repository": name, "tag": tag, "digest": digest, "at": exact_timestamp(at)}
