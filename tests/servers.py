"""A live registry for tests: a real server on a free port over a temporary data folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from registry.app import RegistryApp, build
from registry.config.settings import RegistrySettings
from registry.extension import Extension, ExtensionFactory
from registry.server.in_thread import serving
from registry.telemetry import logs
from tests.engines import rows_of


@dataclass(frozen=True, slots=True)
class LiveRegistry:
    """A server that answers.

    Attributes:
        url: scheme, host and port.
        data: its data folder.
        app: what it serves; its services may be looked at, from other threads with care.
        stop: ends it; the context manager does so as well.
        connections: how many are open.
    """

    url: str
    data: Path
    app: RegistryApp
    stop: Callable[[], None]
    connections: Callable[[], int]

    @property
    def host(self) -> str:
        """HOST:PORT, as image references have it."""
        return self.url.partition("://")[2]

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client for it; `auth=(name, secret)` signs in."""
        return httpx.Client(base_url=self.url, timeout=30, **options)


def quiet(data: Path, **groups: Any) -> dict[str, Any]:
    """Settings of a server on a free port that logs errors only; groups are dictionaries that add to that."""
    document: dict[str, Any] = {
        "data": data,
        "listen": "127.0.0.1:0",
        "operations": {"watch": False},
        "log": {"level": "error", "access": False},
    }
    if rows := rows_of(data):
        document["metadata"] = rows
    for name, group in groups.items():
        known = document.get(name)
        document[name] = {**known, **group} if isinstance(known, Mapping) and isinstance(group, Mapping) else group
    return document


def open_settings(data: Path, **groups: Any) -> RegistrySettings:
    """The same where nobody has to sign in."""
    auth = {"required": False, **groups.pop("auth", {})}
    return RegistrySettings.model_validate(quiet(data, auth=auth, **groups))


def joining(**parts: Any) -> ExtensionFactory:
    """An extension that needs no store, of the parts of `registry.extension.Extension`."""
    return lambda _stores: Extension(**parts)


@contextmanager
def running(
    app: RegistryApp, read: Callable[[], RegistrySettings] | None = None, files: Sequence[Path] = ()
) -> Iterator[LiveRegistry]:
    """Serve an application from a thread of its own until the block ends; the application is closed then.

    A change of one of the files makes it call `read` for new settings.
    """
    settings = app.settings.current
    logs.configure(settings.log)
    with serving(app, read, files) as server:
        yield LiveRegistry(server.url, settings.data, app, server.stop, server.connections)


@contextmanager
def open_registry(data: Path, **groups: Any) -> Iterator[LiveRegistry]:
    """A live registry where nobody has to sign in."""
    with running(build(open_settings(data, **groups))) as live:
        yield live
