"""A live registry that knows one principal of each role and asks everybody to sign in."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.registry.auth.people import QUICK, enrol, everyone
from tests.servers import LiveRegistry, open_registry


@contextmanager
def guarded_registry(data: Path, server: Mapping[str, Any] | None = None, **auth: Any) -> Iterator[LiveRegistry]:
    """Serve a data folder whose principals are those of `tests.registry.auth.people`."""
    enrol(data, *everyone())
    with open_registry(data, server=server or {}, auth={"required": True, "throttle": QUICK, **auth}) as live:
        yield live
