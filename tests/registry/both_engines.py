"""The services over each engine of rows, for tests of what holds on both."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.registry.open_services import OpenServices, open_services

if TYPE_CHECKING:
    from tests.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def services(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenServices]:
    """The services with the default settings and an open gate, on each engine in turn."""
    rows = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        rows = server.opener()
    with open_services(tmp_path / "data", rows=rows) as opened:
        yield opened
