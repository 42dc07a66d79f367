"""The cache of principals: read from the metadata, valid until a principal may have changed."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from registry.auth.actions import Action, Role
from registry.auth.origin import Origin, origin_of
from registry.auth.principals import Principal
from registry.caches import Recent
from registry.metadata.principals import PrincipalRow, find
from registry.metadata.store import MetadataStore

_USERNAME_MAXIMUM = 128
_ENTRIES = 4096
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Account:
    """A principal that may sign in, and the origins of its secrets by their hashes."""

    principal: Principal
    origins: Mapping[str, Origin]

    def hashes(self, now: float) -> list[str]:
        """The hashes of the secrets that have not expired at `now` (seconds since the epoch)."""
        return [phc for phc, origin in self.origins.items() if origin.ends > now]

    def holds(self, secret: str, now: float) -> bool:
        """Whether the secret that a token names is one of this principal's, and has not expired at `now`."""
        return any(origin.secret == secret and origin.ends > now for origin in self.origins.values())


class Directory:
    """Accounts by id or name. A principal that was disabled or deleted, by another process too, is not found."""

    def __init__(self, metadata: MetadataStore, clock: Callable[[], float] = time.time) -> None:
        self._metadata = metadata
        self._clock = clock
        self._generation = -1
        self._cached: Recent[str, Account | bool] = Recent(_ENTRIES, _SECONDS)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def recall(self, username: str) -> Account | None:
        """The account, if it is cached and up to date."""
        self._follow()
        cached = self._cached.get(username)
        return cached if isinstance(cached, Account) else None

    async def find(self, username: str) -> Account | None:
        """The account of an id (in any case) or name, or `None` when it may not sign in."""
        if not 0 < len(username) <= _USERNAME_MAXIMUM:
            return None
        self._follow()
        cached = self._cached.get(username)
        if cached is None:
            generation = self._generation
            account = account_of(await self._metadata.read(find, username))
            cached = account if account is not None else False
            # After a concurrent write this may be stale: use it for this request only.
            if generation == self._metadata.principals_generation():
                self._cached.put(username, cached)
        return cached if isinstance(cached, Account) else None

    def _follow(self) -> None:
        generation = self._metadata.principals_generation()
        if generation != self._generation:
            self._cached.clear()
            self._generation = generation


def account_of(row: PrincipalRow | None) -> Account | None:
    """The account of a row; `None` when it is disabled. An unknown role grants nothing."""
    if row is None or not row.enabled:
        return None
    role = Role(row.role) if row.role in set(Role) else None
    origins = {secret.hash: origin_of(secret) for secret in row.secrets}
    grants = tuple((pattern, frozenset(map(Action, set(words) & set(Action)))) for pattern, words in row.grants)
    return Account(Principal(row.id, row.name, role, row.repositories, () if role else grants), origins)
