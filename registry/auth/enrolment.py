"""Enrolment: creates principals, and creates and renews their secrets. A secret is shown once and stored as a hash."""

import re
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from registry.auth.actions import Role
from registry.auth.secret_hash import hash_secret, new_secret
from registry.config.group import DAY
from registry.errors import BasegateError
from registry.metadata import principals as rows
from registry.metadata.principals import PrincipalRow, SecretRow
from registry.metadata.store import MetadataStore
from registry.oci.timestamp import timestamp

SECRET_NAMES = ("password1", "password2")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PATTERN = re.compile(r"[a-z0-9._/*?\[\]!-]{1,255}")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class EnrolmentRefused(BasegateError):
    """The principal cannot be made or found; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A new secret: its `value` for the person, and the `row` to store."""

    value: str = field(repr=False)
    row: SecretRow


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A principal with its new secrets."""

    row: PrincipalRow
    secrets: tuple[NewSecret, ...]

    def secret(self, name: str = SECRET_NAMES[0]) -> str:
        """The value of one of the new secrets."""
        return next(secret.value for secret in self.secrets if secret.row.name == name)

    def as_document(self) -> dict[str, Any]:
        """`{"name", "id", "role", "repositories", "secrets": [{"name", "value", "expires"}]}`; holds the values."""
        secrets = [{"name": s.row.name, "value": s.value, "expires": timestamp(s.row.expires)} for s in self.secrets]
        return {
            "name": self.row.name,
            "id": self.row.id,
            "role": self.row.role,
            "repositories": list(self.row.repositories),
            "secrets": secrets,
        }


def document_of(row: PrincipalRow) -> dict[str, Any]:
    """A principal as JSON-able data, without secrets."""
    return {
        "name": row.name,
        "id": row.id,
        "role": row.role,
        "repositories": list(row.repositories),
        "enabled": row.enabled,
        "created": timestamp(row.created),
        "secrets": [{"name": secret.name, "expires": timestamp(secret.expires)} for secret in row.secrets],
    }


def draft(name: str, role: Role, repositories: Sequence[str] = ("*",), days: float = 365) -> Enrolment:
    """A principal with two new secrets, not recorded. Blocks while the secrets are hashed (0.1 to 0.2 s).

    Raises:
        EnrolmentRefused: the name or a pattern breaks its grammar.
    """
    require_name(name)
    for pattern in repositories:
        require_pattern(pattern)
    now = time.time()
    secrets = make_secrets(SECRET_NAMES, days, now)
    patterns = tuple(dict.fromkeys(repositories)) or ("*",)
    row = PrincipalRow(str(uuid.uuid4()), name, role.value, patterns, True, now, tuple(s.row for s in secrets))
    return Enrolment(row, secrets)


def require_name(name: str) -> None:
    """Raise EnrolmentRefused for an invalid name of a principal."""
    if not _NAME.fullmatch(name) or _GUID.fullmatch(name):
        raise EnrolmentRefused(
            f"principal name {name[:80]!r} is not valid: needs 1 to 64 letters, digits, . _ - with a letter or digit "
            "first, and must not look like an id"
        )


def require_pattern(pattern: str) -> None:
    """Raise EnrolmentRefused for an invalid pattern of repositories."""
    if not _PATTERN.fullmatch(pattern):
        raise EnrolmentRefused(
            f"repository pattern {pattern[:80]!r} is not valid: needs lower-case repository names with * or ?"
        )


def make_secrets(names: Iterable[str], days: float, now: float) -> tuple[NewSecret, ...]:
    """New secrets that expire in `days`. Blocks while they are hashed."""
    values = [(name, new_secret()) for name in names]
    expires = now + days * DAY
    return tuple(NewSecret(value, SecretRow(name, hash_secret(value), expires, now)) for name, value in values)


def record(connection: Connection, enrolment: Enrolment) -> None:
    """Record a drafted principal; EnrolmentRefused when its name is taken."""
    if not rows.add(connection, enrolment.row):
        raise EnrolmentRefused(f"principal {enrolment.row.name} exists already: choose another name, or rotate it")


def rotate(connection: Connection, username: str, secrets: tuple[NewSecret, ...]) -> Enrolment:
    """Replace secrets; EnrolmentRefused for an unknown principal."""
    row = existing(connection, username)
    rows.replace_secrets(connection, row.id, [secret.row for secret in secrets])
    return Enrolment(existing(connection, row.id), secrets)


def enable(connection: Connection, username: str, *, enabled: bool) -> PrincipalRow:
    """Enable or disable a principal; EnrolmentRefused for an unknown one."""
    row = existing(connection, username)
    rows.set_enabled(connection, row.id, enabled=enabled)
    return replace(row, enabled=enabled)


def delete(connection: Connection, username: str) -> PrincipalRow:
    """Delete a principal; EnrolmentRefused for an unknown one."""
    row = existing(connection, username)
    rows.remove(connection, row.id)
    return row


def existing(connection: Connection, username: str) -> PrincipalRow:
    """The principal with this name or id; EnrolmentRefused when there is none."""
    row = rows.find(connection, username)
    if row is None:
        raise EnrolmentRefused(f"there is no principal {username[:80]}: basegate principal list shows all")
    return row


@dataclass(frozen=True, slots=True)
class FirstStart:
    """The principals of the first start, with secrets that can be shown only now."""

    admin: Enrolment
    reader: Enrolment


async def first_start(metadata: MetadataStore, days: float = 365) -> FirstStart | None:
    """Make the principals `admin` (Owner) and `reader` (AcrPull) if there are none; else `None`."""
    if await metadata.read(rows.exists_any):
        return None
    made = FirstStart(draft("admin", Role.OWNER, days=days), draft("reader", Role.ACR_PULL, days=days))
    return made if await metadata.write(_record_first, made) else None


def _record_first(connection: Connection, made: FirstStart) -> bool:
    if rows.exists_any(connection):
        return False
    record(connection, made.admin)
    record(connection, made.reader)
    return True
