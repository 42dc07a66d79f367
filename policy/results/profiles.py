"""Profiles among the results: what is known of a manifest in few words, which many manifests share.

A profile is the kind, the essence and the platform of an inspected manifest. There are far fewer of them than
manifests, so that a search asks its conditions of profiles, and then for the manifests that have one of these.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, bindparam, delete, exists, func, select

from policy.results.checksums import require_sum, sum_of
from policy.results.tables import profiled, profiles
from registry.database.dialects import insert, is_in, or_update, unless_there, without_nul
from registry.database.statement import Statement


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile.

    Attributes:
        id: of its row; later profiles have higher ones.
        kind: image, index or artifact.
        essence: of the inspected manifest.
        platform: `linux/amd64`; "" when it is not known, and for what is no image.
    """

    id: int
    kind: str
    essence: str
    platform: str


_ADD = Statement(unless_there(insert(profiles)), ("kind", "essence", "platform", "sum"))
_ID = Statement(
    select(profiles.c.id).where(
        profiles.c.kind == bindparam("kind"),
        profiles.c.essence == bindparam("essence"),
        profiles.c.platform == bindparam("platform"),
    )
)
_SAVE = Statement(or_update(insert(profiled), ("manifest",)), ("manifest", "profile", "sum"))
_FORGET_UNUSED = delete(profiles).where(~exists().where(profiled.c.profile == profiles.c.id))
_FORGET = delete(profiled).where(profiled.c.manifest == bindparam("named"))
_NEWER = Statement(
    select(profiles.c.id, profiles.c.kind, profiles.c.essence, profiles.c.platform, profiles.c.sum)
    .where(profiles.c.id >= bindparam("least"))
    .order_by(profiles.c.id)
    .limit(bindparam("count"))
)
_GIVEN: BindParameter[str] = bindparam("given")
_COLUMNS = (profiled.c.manifest, profiled.c.profile, profiled.c.sum)
_OF = Statement(select(*_COLUMNS).where(is_in(profiled.c.manifest, _GIVEN)))
_BEHIND = (
    select(*_COLUMNS)
    .where(profiled.c.manifest >= bindparam("least"))
    .order_by(profiled.c.manifest)
    .limit(bindparam("count"))
)
_OF_FEW = Statement(_BEHIND.where(is_in(profiled.c.profile, _GIVEN)))
# With the sum, no index on profiles is of use: manifests are read in order until there are enough.
_OF_MANY = Statement(_BEHIND.where(is_in(profiled.c.profile + 0, _GIVEN)))
_SOME = select(profiled.c.profile).where(is_in(profiled.c.profile, _GIVEN)).limit(bindparam("count")).subquery()
_HOW_MANY = Statement(select(func.count()).select_from(_SOME))


def save(connection: Connection, seen: Iterable[tuple[str, str, str, str]]) -> None:
    """Save profiles of manifests: digest, kind, essence and platform of each."""
    ids: dict[tuple[str, str, str], int] = {}
    rows = []
    for manifest, kind, essence, said in seen:
        platform = without_nul(said)
        if (kind, essence, platform) not in ids:
            ids[kind, essence, platform] = _ensured(connection, kind, essence, platform)
        profile = ids[kind, essence, platform]
        rows.append({"manifest": manifest, "profile": profile, "sum": sum_of(manifest, profile)})
    _SAVE.change_each(connection, rows)


def _ensured(connection: Connection, kind: str, essence: str, platform: str) -> int:
    values = {"kind": kind, "essence": essence, "platform": platform}
    known = _ID.scalar(connection, values)
    if known is None:
        _ADD.apply(connection, values | {"sum": sum_of(kind, essence, platform)})
        known = _ID.scalar(connection, values)
    return int(known)


def forget(connection: Connection, manifest: str) -> None:
    """Delete what is known of a manifest."""
    connection.execute(_FORGET, {"named": manifest})


def forget_unused(connection: Connection) -> int:
    """Delete the profiles that no manifest has any more; returns how many. Their ids are given to no others."""
    return connection.execute(_FORGET_UNUSED).rowcount


def since(connection: Connection, least: int, count: int) -> list[Profile]:
    """At most `count` profiles from an id on, in order."""
    found = []
    for row_id, kind, essence, platform, stored_sum in _NEWER.rows(connection, {"least": least, "count": count}):
        require_sum(stored_sum, kind, essence, platform)
        found.append(Profile(row_id, kind, essence, platform))
    return found


def of(connection: Connection, manifests: Collection[str]) -> dict[str, int]:
    """The profiles of manifests, by id; without manifests that were not inspected."""
    return _checked(_OF.rows(connection, {"given": json.dumps(list(manifests))}))


def manifests_with(connection: Connection, ids: Collection[int], least: str, count: int, few: int) -> dict[str, int]:
    """At most `count` manifests from a digest on that have one of the profiles, in order, with their profiles.

    `few`: up to how many manifests with these profiles it is better to look for each than to read in order.
    """
    given = json.dumps(list(ids))
    sparse = _HOW_MANY.scalar(connection, {"given": given, "count": few + 1}) <= few
    statement = _OF_FEW if sparse else _OF_MANY
    return _checked(statement.rows(connection, {"given": given, "least": least, "count": count}))


def _checked(rows: Sequence[tuple[str, int, int]]) -> dict[str, int]:
    for manifest, profile, stored_sum in rows:
        require_sum(stored_sum, manifest, profile)
    return {manifest: profile for manifest, profile, _ in rows}
