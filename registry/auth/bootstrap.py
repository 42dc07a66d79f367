"""Applies the bootstrap file to the registry's principals, at every start."""

import time
import uuid
from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import Connection

from registry.auth.bootstrap_file import WantedPrincipal
from registry.auth.enrolment import SECRET_NAMES
from registry.auth.secret_hash import hash_secret, matches
from registry.config.group import DAY
from registry.metadata import principals as rows
from registry.metadata.principals import PrincipalRow, SecretRow
from registry.metadata.store import MetadataStore

_SECRET = SECRET_NAMES[0]


class Change(StrEnum):
    """What the file changed in a principal."""

    MADE = "made"
    SECRET = "secret replaced"  # noqa: S105 - a word for people
    GRANT = "role or repositories changed"


Bootstrapped = tuple[WantedPrincipal, tuple[Change, ...]]
"""A principal of the file, and what was changed for it; nothing where it was so already."""


async def bootstrap(
    metadata: MetadataStore, wanted: Iterable[WantedPrincipal], days: float
) -> tuple[Bootstrapped, ...]:
    """Create or update the principals of a file, each with its secret as `password1`; blocks for some 70 ms for each.

    An unchanged secret stays, with the tokens made from it; it expires `days` from now. A disabled principal stays
    disabled, and `password2` is not changed. Principals that the file does not name stay.
    """
    made = []
    for principal in wanted:
        before = await metadata.read(rows.find, principal.name)
        secret = _secret_for(principal, before, days)
        made.append((principal, await metadata.write(_put, principal, secret)))
    return tuple(made)


def _secret_for(wanted: WantedPrincipal, row: PrincipalRow | None, days: float) -> SecretRow:
    now = time.time()
    current = next((secret for secret in row.secrets if secret.name == _SECRET), None) if row else None
    same = current is not None and matches(wanted.secret, current.hash)
    phc, created = (
        (current.hash, current.created) if current is not None and same else (hash_secret(wanted.secret), now)
    )
    return SecretRow(_SECRET, phc, now + days * DAY, created)


def _put(connection: Connection, wanted: WantedPrincipal, secret: SecretRow) -> tuple[Change, ...]:
    before = rows.find(connection, wanted.name)
    if before is None:
        row = PrincipalRow(
            str(uuid.uuid4()), wanted.name, wanted.role.value, wanted.repositories, True, secret.created, (secret,)
        )
        rows.add(connection, row)
        return (Change.MADE,)
    changes = []
    current = next((item for item in before.secrets if item.name == _SECRET), None)
    if current is None or current.hash != secret.hash:
        changes.append(Change.SECRET)
    if (before.role, before.repositories) != (wanted.role.value, wanted.repositories):
        changes.append(Change.GRANT)
        rows.grant(connection, before.id, wanted.role.value, wanted.repositories)
    if current is None or current.hash != secret.hash or secret.expires - current.expires > DAY:
        rows.replace_secrets(connection, before.id, [secret])
    return tuple(changes)
