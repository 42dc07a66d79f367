"""Who may sign in: principals and the hashes of their secrets, as plain functions of a connection.

`registry.auth.enrolment` validates names, roles and patterns; here they are rows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update

from registry.metadata import scope_maps
from registry.metadata.principal_tables import principal_secrets, principals
from registry.metadata.scope_maps import PRINCIPALS_CHANGED, Grants


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One secret of a principal.

    Attributes:
        name: `password1` or `password2`.
        hash: Argon2id in PHC form (RFC 9106; `$argon2id$v=19$…`).
        expires: seconds since the epoch.
        created: seconds since the epoch.
    """

    name: str
    hash: str
    expires: float
    created: float


@dataclass(frozen=True, slots=True)
class PrincipalRow:
    """One principal with its secrets.

    Attributes:
        id: a GUID in lower case.
        name: unique.
        role: a word of `registry.auth.actions.Role`.
        repositories: patterns.
        enabled: whether it may sign in.
        created: seconds since the epoch.
        secrets: in the order of their names.
        scope_map: the name of the scope map whose rights it has in the place of its role's, or empty.
        grants: what that map grants.
    """

    id: str
    name: str
    role: str
    repositories: tuple[str, ...]
    enabled: bool
    created: float
    secrets: tuple[SecretRow, ...] = ()
    scope_map: str = ""
    grants: Grants = ()


_FIND = select(principals).where(or_(principals.c.id == bindparam("id"), principals.c.name == bindparam("name")))
_LIST = select(principals).order_by(principals.c.name)
_SECRETS = (
    select(principal_secrets)
    .where(principal_secrets.c.principal_id == bindparam("id"))
    .order_by(principal_secrets.c.name)
)


def find(connection: Connection, username: str) -> PrincipalRow | None:
    """The principal with this id (in any case) or name, or `None`."""
    row = connection.execute(_FIND, {"id": username.lower(), "name": username}).first()
    return None if row is None else _assemble(connection, row)


def everyone(connection: Connection) -> list[PrincipalRow]:
    """All principals by name."""
    return [_assemble(connection, row) for row in connection.execute(_LIST).all()]


def exists_any(connection: Connection) -> bool:
    """Whether there is any principal."""
    return connection.execute(select(principals.c.id).limit(1)).first() is not None


def add(connection: Connection, row: PrincipalRow) -> bool:
    """Record a new principal with its secrets; `False` when the name or id is taken."""
    if find(connection, row.name) or find(connection, row.id):
        return False
    values = {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "repositories": json.dumps(row.repositories),
        "enabled": row.enabled,
        "created": row.created,
        "scope_map": row.scope_map or None,
    }
    connection.execute(insert(principals), values)
    connection.info[PRINCIPALS_CHANGED] = True
    for secret in row.secrets:
        _put_secret(connection, row.id, secret)
    return True


def replace_secrets(connection: Connection, principal_id: str, secrets: Sequence[SecretRow]) -> None:
    """Replace the secrets of the same names."""
    names = [secret.name for secret in secrets]
    connection.execute(
        delete(principal_secrets).where(
            principal_secrets.c.principal_id == principal_id, principal_secrets.c.name.in_(names)
        )
    )
    connection.info[PRINCIPALS_CHANGED] = True
    for secret in secrets:
        _put_secret(connection, principal_id, secret)


def set_enabled(connection: Connection, principal_id: str, *, enabled: bool) -> None:
    """Enable or disable a principal."""
    connection.execute(update(principals).where(principals.c.id == principal_id).values(enabled=enabled))
    connection.info[PRINCIPALS_CHANGED] = True


def grant(connection: Connection, principal_id: str, role: str, repositories: Sequence[str]) -> None:
    """Set a principal's role and repositories."""
    values = {"role": role, "repositories": json.dumps(repositories)}
    connection.execute(update(principals).where(principals.c.id == principal_id).values(values))
    connection.info[PRINCIPALS_CHANGED] = True


def give_scope_map(connection: Connection, principal_id: str, name: str) -> None:
    """Give a principal the rights of a scope map, in the place of its role's or another map's."""
    connection.execute(update(principals).where(principals.c.id == principal_id).values(scope_map=name, role=""))
    connection.info[PRINCIPALS_CHANGED] = True


def remove(connection: Connection, principal_id: str) -> None:
    """Remove a principal and its secrets."""
    connection.execute(delete(principal_secrets).where(principal_secrets.c.principal_id == principal_id))
    connection.execute(delete(principals).where(principals.c.id == principal_id))
    connection.info[PRINCIPALS_CHANGED] = True


def _put_secret(connection: Connection, principal_id: str, secret: SecretRow) -> None:
    values = {
        "principal_id": principal_id,
        "name": secret.name,
        "hash": secret.hash,
        "expires": secret.expires,
        "created": secret.created,
    }
    connection.execute(insert(principal_secrets), values)


def _assemble(connection: Connection, row: Row[tuple[object, ...]]) -> PrincipalRow:
    rows = connection.execute(_SECRETS, {"id": row.id}).all()
    secrets = tuple(SecretRow(each.name, each.hash, each.expires, each.created) for each in rows)
    patterns = tuple(json.loads(row.repositories))
    scope_map = scope_maps.find(connection, row.scope_map) if row.scope_map else None
    grants = scope_map.grants if scope_map is not None else ()
    return PrincipalRow(
        row.id,
        row.name,
        row.role,
        patterns,
        bool(row.enabled),
        row.created,
        secrets,
        row.scope_map or "",
        grants,
    )
