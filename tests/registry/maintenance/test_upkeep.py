"""Upkeep goes on whatever its rounds meet."""

import asyncio
from contextlib import suppress
from pathlib import Path

from registry.maintenance.upkeep import Upkeep
from registry.oci.names import Tag
from tests.registry.open_services import OpenServices, open_services


async def copies_for_a_moment(services: OpenServices) -> bool:
    """Whether the copying of the rows still goes on after some rounds; `registry.db` cannot be read meanwhile."""
    rows = Upkeep(services.storage, services.metadata, services.settings).rows
    assert rows is not None
    task = asyncio.create_task(rows.copy())
    await asyncio.sleep(1.5)
    goes_on = not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return goes_on


def test_the_copy_of_the_rows_survives_a_database_that_cannot_be_read(tmp_path: Path) -> None:
    """It is tried again in the next round, and ends without an error when the server ends."""
    with open_services(tmp_path) as services:
        services.run(services.push_image(Tag("v1")))
    with open_services(tmp_path) as services:
        (tmp_path / "registry.db").write_bytes(b"no database " * 1000)
        assert services.run(copies_for_a_moment(services))
