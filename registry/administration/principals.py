"""Acts on principals. A new secret is in the answer to the act that makes it, and nowhere afterwards."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from registry.administration.act import BASE, Act, Holdings
from registry.auth import enrolment
from registry.auth.actions import Role
from registry.auth.enrolment import SECRET_NAMES, document_of
from registry.metadata import principals as rows

PRINCIPALS = f"{BASE}/principals"
DAYS_MAXIMUM = 36_500


def list_principals() -> Act:
    """`{"principals": [PRINCIPAL]}`, by name."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return {"principals": [document_of(row) for row in await holdings.metadata.read(rows.everyone)]}

    return Act("GET", PRINCIPALS, here)


def show_principal(name: str) -> Act:
    """One principal, by name or id."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return document_of(await holdings.metadata.read(enrolment.existing, name))

    return Act("GET", _path(name), here)


def create_principal(name: str, role: Role, repositories: Sequence[str], days: float | None) -> Act:
    """A new principal with two secrets: `registry.auth.enrolment.Enrolment.as_document`.

    `days`: the life of the secrets; `None`: as the setting `auth.secret_days` says where the act is done.
    """
    patterns = tuple(repositories) or ("*",)

    async def here(holdings: Holdings) -> dict[str, Any]:
        made = await asyncio.to_thread(enrolment.draft, name, role, patterns, _life(holdings, days))
        await holdings.metadata.write(enrolment.record, made)
        return made.as_document()

    body: dict[str, Any] = {"name": name, "role": role.value, "repositories": list(patterns)}
    body |= {} if days is None else {"days": days}
    return Act("POST", PRINCIPALS, here, body=body)


def rotate_principal(name: str, secret: str | None, days: float | None) -> Act:
    """New secrets, or one: the same shape, with these alone; `days` as above."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        await holdings.metadata.read(enrolment.existing, name)
        names = [secret] if secret else SECRET_NAMES
        made = await asyncio.to_thread(enrolment.make_secrets, names, _life(holdings, days), time.time())
        return (await holdings.metadata.write(enrolment.rotate, name, made)).as_document()

    body: dict[str, Any] = {} if days is None else {"days": days}
    body |= {"secret": secret} if secret else {}
    return Act("POST", f"{_path(name)}/rotate", here, body=body)


def enable_principal(name: str, *, enabled: bool) -> Act:
    """Shut a principal out, or let it in again: the principal."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return document_of(await holdings.metadata.write(enrolment.enable, name, enabled=enabled))

    return Act("PATCH", _path(name), here, body={"enabled": enabled})


def delete_principal(name: str) -> Act:
    """Forget a principal: what it was."""

    async def here(holdings: Holdings) -> dict[str, Any]:
        return document_of(await holdings.metadata.write(enrolment.delete, name))

    return Act("DELETE", _path(name), here)


def _life(holdings: Holdings, days: float | None) -> float:
    return holdings.settings.current.auth.secret_days if days is None else days


def _path(name: str) -> str:
    return f"{PRINCIPALS}/{quote(name, safe='')}"
