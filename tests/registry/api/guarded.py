"""A live registry that knows one principal of each role and asks everybody to sign in."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from registry.auth.enrolment import record
from registry.metadata.open_store import open_metadata
from tests.registry.auth.people import QUICK, everyone
from tests.servers import LiveRegistry, open_registry


@contextmanager
def guarded_registry(data: Path, server: Mapping[str, Any] | None = None, **auth: Any) -> Iterator[LiveRegistry]:
    """Serve a data folder whose principals are those of `tests.registry.auth.people`."""
    with closing(open_metadata(data)) as metadata:
        for made in everyone():
            asyncio.run(metadata.write(record, made))
    with open_registry(data, server=server or {}, auth={"required": True, "throttle": QUICK, **auth}) as live:
        yield live
