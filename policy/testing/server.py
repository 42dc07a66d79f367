"""basegate in a thread of this process, for tests: everything it keeps is in memory or in a temporary folder."""

import asyncio
import logging
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection

from policy.app import build
from policy.settings import Settings
from policy.testing.credentials import enrolment
from policy.testing.registry import TemporaryRegistry
from registry.app import RegistryApp
from registry.auth.actions import Role
from registry.auth.enrolment import Enrolment, record
from registry.server.in_thread import serving
from registry.storage.memory.store import MemoryStore

_QUIET: dict[str, dict[str, Any]] = {
    "operations": {"watch": False},
    "log": {"level": "error", "access": False},
    "audit": {"enabled": False},
    "policy": {"inspection": {"workers": 1, "nice": 0}},
}


@dataclass(frozen=True, slots=True)
class Basegate:
    """A running server.

    Attributes:
        address: `HOST:PORT`, on the loopback address.
        app: what it serves.
    """

    address: str
    app: RegistryApp

    @contextmanager
    def registry(self) -> Iterator[TemporaryRegistry]:
        """A fresh registry: a prefix of repositories, and principals that reach nothing else.

        What is pushed stays until the server ends; nobody who comes later sees it.
        """
        prefix = f"t{uuid.uuid4().hex[:16]}"
        owner, its = enrolment(f"owner-{prefix}", Role.OWNER, f"{prefix}/*")
        reader, whose = enrolment(f"reader-{prefix}", Role.ACR_PULL, f"{prefix}/*")
        with ThreadPoolExecutor(1) as apart:  # the caller's thread may have an event loop that runs
            apart.submit(self._enrol, (owner, reader)).result()
        yield TemporaryRegistry(self.address, prefix, its, whose)

    def _enrol(self, enrolments: tuple[Enrolment, ...]) -> None:
        asyncio.run(self.app.services.stores.metadata.write(_record, enrolments))


@contextmanager
def server(**settings: Any) -> Iterator[Basegate]:
    """A server on a free port until the block ends; nothing of it is left then.

    Args:
        settings: groups of settings, as in a settings file: `policy={"mode": "reject"}`.

    Raises:
        pydantic.ValidationError, BasegateError: the settings cannot be used.
    """
    groups = _with_defaults(settings, _QUIET)
    with tempfile.TemporaryDirectory(prefix="basegate-test-") as folder, _quiet_logs():
        chosen = Settings.model_validate({**groups, "data": Path(folder) / "data", "listen": "127.0.0.1:0"})
        app = build(chosen, blobs=MemoryStore())
        with serving(app) as running:
            yield Basegate(running.url.partition("://")[2], app)


def _with_defaults(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and the defaults of groups in what it leaves out."""
    merged = {**defaults, **given}
    for name, default in defaults.items():
        if isinstance(default, Mapping) and isinstance(given.get(name), Mapping):
            merged[name] = _with_defaults(given[name], default)
    return merged


@contextmanager
def registry(**settings: Any) -> Iterator[TemporaryRegistry]:
    """A fresh registry on a server of its own, see `server`; where many are wanted, share one server instead."""
    with server(**settings) as running, running.registry() as fresh:
        yield fresh


def _record(connection: Connection, enrolments: tuple[Enrolment, ...]) -> None:
    for each in enrolments:
        record(connection, each)


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Errors only, unless the program that is tested has set structlog up for itself."""
    if structlog.is_configured():
        yield
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.reset_defaults()
