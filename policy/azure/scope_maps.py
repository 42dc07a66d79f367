"""Scope maps and repository-scoped tokens in Azure's words, over the principals of the registry.

A token is a principal that has a scope map in the place of a role; its passwords are the principal's secrets.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from registry.auth.actions import Action
from registry.auth.enrolment import SECRET_NAMES, NewSecret, make_secrets, require_name, require_pattern
from registry.config.group import DAY
from registry.errors import BasegateError
from registry.metadata import principals, scope_maps
from registry.metadata.principals import PrincipalRow
from registry.metadata.scope_maps import Grants, ScopeMapRow
from registry.metadata.store import MetadataStore

ACTIONS: Mapping[str, Action] = {
    "content/read": Action.PULL,
    "content/write": Action.PUSH,
    "content/delete": Action.DELETE,
    "metadata/read": Action.METADATA_READ,
    "metadata/write": Action.METADATA_WRITE,
}
_EVERYTHING = tuple(f"repositories/*/{word}" for word in ACTIONS)
SYSTEM: Mapping[str, tuple[str, ...]] = {
    "_repositories_pull": _EVERYTHING[:1],
    "_repositories_push": _EVERYTHING[:2],
    "_repositories_pull_metadata_read": (_EVERYTHING[0], _EVERYTHING[3]),
    "_repositories_push_metadata_write": (*_EVERYTHING[:2], *_EVERYTHING[3:]),
    "_repositories_admin": _EVERYTHING,
}
"""The maps that are always there."""
ADMIN_MAP = "_admin_user"
"""That of the admin user, which is no token; it is in no list."""
FOREVER = 253_402_300_799.0
"""The last second of the year 9999: when a password without an end ends."""
_NAME = re.compile(r"[a-zA-Z0-9_-]{5,50}")
_ACTION = re.compile(rf"repositories/(.+)/({'|'.join(ACTIONS)})")


class ScopeMapRefused(BasegateError):
    """A scope map or token cannot be made, changed or found; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ScopeMap:
    """A scope map as Azure shows it; `created` in seconds since the epoch, 0 for one that is always there."""

    name: str
    description: str
    actions: tuple[str, ...]
    created: float = 0.0

    @property
    def is_system(self) -> bool:
        """Whether it is always there."""
        return self.name in SYSTEM


@dataclass(frozen=True, slots=True)
class RepositoryToken:
    """A repository-scoped token; ends and times of its passwords in seconds since the epoch, by their names."""

    name: str
    scope_map: str
    enabled: bool
    created: float
    passwords: Mapping[str, tuple[float, float]]


class ScopeMaps:
    """The scope maps of a registry."""

    def __init__(self, metadata: MetadataStore, clock: Callable[[], float] = time.time) -> None:
        self._metadata = metadata
        self._clock = clock

    async def all(self) -> list[ScopeMap]:
        """Those that are always there, then the others by name."""
        rows = await self._metadata.read(scope_maps.everything)
        own = [_map_of(row) for row in rows if row.name not in {*SYSTEM, ADMIN_MAP}]
        return [*(_system(name) for name in SYSTEM), *own]

    async def find(self, name: str) -> ScopeMap:
        """One map. Raises ScopeMapRefused when there is none."""
        return await self._metadata.read(_find, name)

    async def put(self, name: str, actions: Iterable[str], description: str = "") -> ScopeMap:
        """Make a map, or change it; tokens that have it have the new rights at once.

        Args:
            name: 5 to 50 letters, digits, - and _.
            actions: `repositories/NAME/ACTION`; NAME may be a pattern.
            description: for people.

        Raises:
            ScopeMapRefused: the name or an action breaks its grammar, or the map is always there.
            EnrolmentRefused: a pattern breaks its grammar.
        """
        if not _NAME.fullmatch(name) or name in {*SYSTEM, ADMIN_MAP}:
            raise ScopeMapRefused(f"scope map {name[:64]!r} cannot be made: needs 5 to 50 letters, digits, - and _")
        row = ScopeMapRow(name, description, grants_of(actions), self._clock())
        return _map_of(await self._metadata.write(_put, row))

    async def remove(self, name: str) -> None:
        """Forget a map. Raises ScopeMapRefused when there is none, or tokens have it."""
        await self._metadata.write(_remove, name)


class RepositoryTokens:
    """The repository-scoped tokens of a registry."""

    def __init__(self, metadata: MetadataStore, clock: Callable[[], float] = time.time) -> None:
        self._metadata = metadata
        self._clock = clock

    async def all(self) -> list[RepositoryToken]:
        """All tokens by name."""
        rows = await self._metadata.read(principals.everyone)
        return [_token_of(row) for row in rows if row.scope_map not in {"", ADMIN_MAP}]

    async def find(self, name: str) -> RepositoryToken:
        """One token. Raises ScopeMapRefused when there is none."""
        return _token_of(await self._metadata.read(_token, name))

    async def put(self, name: str, scope_map: str, *, enabled: bool = True) -> RepositoryToken:
        """Make a token without passwords, or give one another map.

        Raises:
            ScopeMapRefused: there is no such map, or a principal with a role has the name.
            EnrolmentRefused: the name breaks its grammar.
        """
        require_name(name)
        row = PrincipalRow(str(uuid.uuid4()), name, "", ("*",), enabled, self._clock(), scope_map=scope_map)
        return _token_of(await self._metadata.write(_put_token, row))

    async def generate(
        self, name: str, passwords: Iterable[str] = SECRET_NAMES, expires: float = FOREVER
    ) -> tuple[NewSecret, ...]:
        """New passwords in the place of old ones; the only time that they are seen.

        Args:
            name: of the token.
            passwords: `password1`, `password2` or both.
            expires: when they end, seconds since the epoch.

        Raises:
            ScopeMapRefused: there is no such token or password, or the end is past.
        """
        wanted, now = tuple(passwords), self._clock()
        if not wanted or set(wanted) - set(SECRET_NAMES):
            raise ScopeMapRefused(f"a token has the passwords {' and '.join(SECRET_NAMES)}: name one of them")
        if expires <= now:
            raise ScopeMapRefused("the password would have ended already: give a later time")
        row = await self._metadata.read(_token, name)
        made = await asyncio.to_thread(make_secrets, wanted, (expires - now) / DAY, now)
        rows = [replace(secret.row, expires=expires) for secret in made]
        await self._metadata.write(principals.replace_secrets, row.id, rows)
        return made

    async def remove(self, name: str) -> None:
        """Forget a token. Raises ScopeMapRefused when there is none."""
        row = await self._metadata.read(_token, name)
        await self._metadata.write(principals.remove, row.id)


def grants_of(actions: Iterable[str]) -> Grants:
    """Azure's actions as rights of the registry, by pattern in the order in which they came.

    Raises:
        ScopeMapRefused: an action is not of the form `repositories/NAME/ACTION`.
        EnrolmentRefused: a pattern breaks its grammar.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in actions:
        parsed = _ACTION.fullmatch(text)
        if parsed is None:
            raise ScopeMapRefused(
                f"{text[:80]!r} is no action: needs repositories/NAME/ACTION with {', '.join(ACTIONS)}"
            )
        require_pattern(parsed[1])
        found[parsed[1]] = tuple(dict.fromkeys((*found.get(parsed[1], ()), ACTIONS[parsed[2]].value)))
    if not found:
        raise ScopeMapRefused("a scope map without an action grants nothing: name at least one")
    return tuple(found.items())


def _system(name: str) -> ScopeMap:
    return ScopeMap(name, "always there, for all repositories", SYSTEM[name])


def _map_of(row: ScopeMapRow) -> ScopeMap:
    words = {action.value: word for word, action in ACTIONS.items()}
    actions = tuple(f"repositories/{pattern}/{words[each]}" for pattern, granted in row.grants for each in granted)
    return ScopeMap(row.name, row.description, actions, row.created)


def _token_of(row: PrincipalRow) -> RepositoryToken:
    passwords = {secret.name: (secret.created, secret.expires) for secret in row.secrets}
    return RepositoryToken(row.name, row.scope_map, row.enabled, row.created, passwords)


def _find(connection: Connection, name: str) -> ScopeMap:
    row = None if name in {*SYSTEM, ADMIN_MAP} else scope_maps.find(connection, name)
    if row is None and name not in SYSTEM:
        raise ScopeMapRefused(f"there is no scope map {name[:64]!r}: make it first")
    return _system(name) if row is None else _map_of(row)


def _put(connection: Connection, row: ScopeMapRow) -> ScopeMapRow:
    before = scope_maps.find(connection, row.name)
    row = row if before is None else replace(row, created=before.created)
    scope_maps.put(connection, row)
    return row


def _remove(connection: Connection, name: str) -> None:
    _find(connection, name)
    if name in SYSTEM:
        raise ScopeMapRefused(f"scope map {name} is always there")
    holders = scope_maps.holders(connection, name)
    if holders:
        raise ScopeMapRefused(f"token {holders[0]} has scope map {name}: give it another one, or remove it first")
    scope_maps.remove(connection, name)


def _token(connection: Connection, name: str) -> PrincipalRow:
    row = principals.find(connection, name)
    if row is None or row.scope_map in {"", ADMIN_MAP} or row.name != name:
        raise ScopeMapRefused(f"there is no token {name[:64]!r}: make it first")
    return row


def _put_token(connection: Connection, row: PrincipalRow) -> PrincipalRow:
    found = _find(connection, row.scope_map)
    if found.is_system:  # it becomes a row with the first token that has it
        scope_maps.put(connection, ScopeMapRow(found.name, found.description, grants_of(found.actions), row.created))
    before = principals.find(connection, row.name)
    if before is None:
        principals.add(connection, row)
    elif before.scope_map in {"", ADMIN_MAP}:
        raise ScopeMapRefused(f"{row.name} is a principal and no token: choose another name")
    else:
        principals.give_scope_map(connection, before.id, row.scope_map)
        principals.set_enabled(connection, before.id, enabled=row.enabled)
    return _token(connection, row.name)
