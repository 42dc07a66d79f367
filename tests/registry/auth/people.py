"""People for tests: principals drafted once a run, an authority over a fresh data folder, requests with credentials."""

import asyncio
import base64
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request

from registry.auth.actions import Role
from registry.auth.assembly import Authority
from registry.auth.enrolment import Enrolment, draft, record
from registry.auth.origin import Origin, origin_of
from registry.auth.principals import Principal
from registry.auth.scopes import parse_scopes
from registry.auth.signing_key import signing_key
from registry.auth.tokens import Tokens
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.opened_stores import open_stores_of
from registry.metadata.open_store import open_metadata
from registry.metadata.sqlite_store import SqliteStore
from registry.metadata.store import MetadataStore
from registry.oci.names import RepositoryName
from tests.engines import rows_of

APP = RepositoryName.parse("team/app")
OTHER = RepositoryName.parse("other/app")
QUICK = {"delay_seconds": 0.0}


@cache
def person(role: Role, repositories: str = "*") -> Enrolment:
    """A principal named after its role; hashing takes its time, so each is drafted once."""
    name = role.value.lower() if repositories == "*" else f"{role.value.lower()}-bound"
    return draft(name, role, repositories.split(","))


def everyone() -> list[Enrolment]:
    """One principal of each role, and a pusher bound to `team/*`."""
    return [*(person(role) for role in Role), person(Role.ACR_PUSH, "team/*")]


def enrol(data: Path, *made: Enrolment, settings: RegistrySettings | None = None) -> None:
    """Put principals into a data folder, as a command does; or where the rows of these settings are."""
    with ThreadPoolExecutor(1) as pool, closing(_rows_of(data, settings, pool)) as metadata:
        for enrolment in made:
            asyncio.run(metadata.write(record, enrolment))


def _rows_of(data: Path, settings: RegistrySettings | None, pool: Executor) -> MetadataStore:
    settings = settings or RegistrySettings.model_validate({"data": data, "metadata": rows_of(data)})
    return open_stores_of(settings, pool)[1] if settings.metadata.url else open_metadata(data)


@dataclass(frozen=True, slots=True)
class Desk:
    """An authority with its metadata and the settings it follows."""

    authority: Authority
    metadata: SqliteStore
    settings: SettingsInForce[RegistrySettings]

    def change(self, **auth: Any) -> None:
        """Put other settings of the section `auth` in force."""
        document = self.settings.current.model_dump()
        document["auth"] |= auth
        self.settings.replace(RegistrySettings.model_validate(document))


@contextmanager
def desk(data: Path, **auth: Any) -> Iterator[Desk]:
    """An authority over a fresh data folder that knows everyone."""
    document = {"data": data, "auth": {"throttle": QUICK, **auth}}
    settings = SettingsInForce(RegistrySettings.model_validate(document))
    enrol(data, *everyone())
    metadata = open_metadata(data)
    authority = Authority(data, metadata, settings)
    try:
        yield Desk(authority, metadata, settings)
    finally:
        authority.close()
        metadata.close()


def principal_of(made: Enrolment) -> Principal:
    """The principal of an enrolment."""
    return Principal(made.row.id, made.row.name, Role(made.row.role), made.row.repositories)


def origin(made: Enrolment) -> Origin:
    """What its first secret is to the tokens that are got with it."""
    return origin_of(made.row.secrets[0])


def ended(data: Path, settings: SettingsInForce[RegistrySettings], made: Enrolment, scope: str) -> str:
    """An access token that a registry over this data folder gave out two hours ago, so that it has ended since."""
    return given_ago(data, settings, made, scope, 7200)


def given_ago(
    data: Path, settings: SettingsInForce[RegistrySettings], made: Enrolment, scope: str, seconds: float
) -> str:
    """An access token that a registry over this data folder gave out so many seconds ago; it lives for an hour."""
    tokens = Tokens(signing_key(data), settings, lambda: time.time() - seconds)
    return tokens.access(principal_of(made), parse_scopes([scope]), origin(made)).text


def basic(username: str, secret: str) -> str:
    """The value of an `Authorization` header."""
    return "Basic " + base64.b64encode(f"{username}:{secret}".encode()).decode("ascii")


def signed(made: Enrolment) -> str:
    """The header of a principal with its first secret."""
    return basic(made.row.id, made.secret())


def request(authorization: str = "", *, host: str = "registry.example:5000", address: str = "192.0.2.1") -> Request:
    """A request as it reaches the routes."""
    headers = [(b"host", host.encode())]
    if authorization:
        headers.append((b"authorization", authorization.encode()))
    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "https",
            "path": "/v2/",
            "query_string": b"",
            "headers": headers,
            "client": (address, 4711),
            "server": ("127.0.0.1", 5000),
        }
    )
