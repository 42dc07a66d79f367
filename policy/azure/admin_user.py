"""The admin user of a registry: one account, named as the registry, with two passwords that its owner can be shown.

Secrets of principals are hashed and seen once. `az acr credential show` shows these whenever it is asked, so they are
kept readable, in a file of the data folder that only the server's user may read. The user is off unless it is switched
on. It is a principal that pulls, pushes and deletes everywhere and has no role.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from policy.azure.scope_maps import ADMIN_MAP, FOREVER, SYSTEM, grants_of
from registry.auth.enrolment import SECRET_NAMES
from registry.auth.secret_hash import hash_secret, matches, new_secret
from registry.errors import BasegateError
from registry.metadata import principals, scope_maps
from registry.metadata.principals import PrincipalRow, SecretRow
from registry.metadata.scope_maps import ScopeMapRow
from registry.metadata.store import MetadataStore
from registry.storage.disk.atomic_file import replace_file

FILE = "keys/azure-admin-user.json"
PASSWORDS = ("password", "password2")
"""What Azure calls them; the principal's are `password1` and `password2`."""


class AdminUserRefused(BasegateError):
    """The admin user cannot be what is asked for; the message says what to do."""


@dataclass(frozen=True, slots=True)
class AdminAccount:
    """The admin user.

    Attributes:
        id: of its principal.
        enabled: whether it was switched on.
        passwords: by Azure's names.
    """

    id: str
    enabled: bool = False
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)


class AdminUser:
    """Switches it on and off, shows its passwords, renews them; one change at a time.

    Args:
        data: the data folder.
        metadata: where its principal is.
        name: what the registry is called.
        forced: whether the setting `azure.admin_user` has it on.
    """

    def __init__(self, data: Path, metadata: MetadataStore, name: str, *, forced: bool = False) -> None:
        self._path = data / FILE
        self._metadata = metadata
        self._name = name
        self._forced = forced
        self._changing = asyncio.Lock()

    @property
    def name(self) -> str:
        """The name to sign in with."""
        return self._name

    async def account(self) -> AdminAccount | None:
        """The account; `None` where it was never switched on. A setting that has it on counts as well."""
        found = await asyncio.to_thread(_read, self._path)
        return None if found is None else replace(found, enabled=found.enabled or self._forced)

    async def establish(self) -> None:
        """Make the principal what file and setting say; called at the start.

        Raises:
            AdminUserRefused: another principal has the name, or the file cannot be read.
        """
        if self._forced or await self.account() is not None:
            await self._change(lambda account: account)

    async def enable(self, *, enabled: bool) -> AdminAccount:
        """Switch it on or off.

        Raises:
            AdminUserRefused: the setting has it on, or another principal has the name.
        """
        if self._forced and not enabled:
            raise AdminUserRefused("the setting azure.admin_user has the admin user on: change it there")
        return await self._change(lambda account: replace(account, enabled=enabled))

    async def renew(self, password: str) -> AdminAccount:
        """Give it another `password` or `password2`; the other one stays.

        Raises:
            AdminUserRefused: it has no such password, or is not on.
        """
        if password not in PASSWORDS:
            raise AdminUserRefused(f"the admin user has {' and '.join(PASSWORDS)}, no {password[:32]!r}")
        account = await self.account()
        if account is None or not account.enabled:
            raise AdminUserRefused("the admin user is not on: switch it on first")
        fresh = {password: new_secret()}
        return await self._change(lambda known: replace(known, passwords={**known.passwords, **fresh}))

    async def _change(self, change: Callable[[AdminAccount], AdminAccount]) -> AdminAccount:
        async with self._changing:
            before = await asyncio.to_thread(_read, self._path)
            account = change(before or AdminAccount(str(uuid.uuid4()), passwords=dict.fromkeys(PASSWORDS, "")))
            named = {name: account.passwords.get(name) or new_secret() for name in PASSWORDS}
            account = replace(account, passwords=named)
            if account != before:
                await asyncio.to_thread(replace_file, self._path, json.dumps(asdict(account)).encode())
            counts = replace(account, enabled=account.enabled or self._forced)
            row = await self._metadata.read(principals.find, account.id)
            secrets = await asyncio.to_thread(_secrets, account, row)
            await self._metadata.write(partial(_put, name=self._name, account=counts, secrets=secrets))
            return counts


def _read(path: Path) -> AdminAccount | None:
    try:
        document = json.loads(path.read_bytes())
        return AdminAccount(str(document["id"]), document["enabled"] is True, dict(document["passwords"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdminUserRefused(
            f"{path} cannot be read ({error}): remove it, and the admin user gets new passwords"
        ) from None


def _secrets(account: AdminAccount, row: PrincipalRow | None) -> list[SecretRow]:
    """The rows of its passwords; those that are right already are not hashed anew, and tokens got with them live on."""
    known = {} if row is None else {secret.name: secret for secret in row.secrets}
    made = []
    for name, value in zip(SECRET_NAMES, account.passwords.values(), strict=True):
        before = known.get(name)
        if before is None or not matches(value, before.hash):
            made.append(SecretRow(name, hash_secret(value), FOREVER, time.time()))
    return made


def _put(connection: Connection, *, name: str, account: AdminAccount, secrets: list[SecretRow]) -> None:
    other = principals.find(connection, name)
    if other is not None and other.id != account.id:
        raise AdminUserRefused(
            f"a principal is called {name}, as the registry is: call the registry something else "
            "(deployments.registry_name), or delete the principal"
        )
    if scope_maps.find(connection, ADMIN_MAP) is None:
        rights = grants_of(SYSTEM["_repositories_admin"])
        scope_maps.put(connection, ScopeMapRow(ADMIN_MAP, "what the admin user may do", rights, time.time()))
    row = principals.find(connection, account.id)
    if row is not None and row.name != name:  # the registry was called something else
        principals.remove(connection, account.id)
        secrets, row = [*(each for each in row.secrets if each.name not in {s.name for s in secrets}), *secrets], None
    if row is None:
        made = PrincipalRow(account.id, name, "", ("*",), account.enabled, time.time(), scope_map=ADMIN_MAP)
        principals.add(connection, made)
    principals.replace_secrets(connection, account.id, secrets)
    principals.set_enabled(connection, account.id, enabled=account.enabled)
