"""Signed verdicts go with images that retention or a collection of garbage removes, and with these alone."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.content.gc import GarbageCollector
from registry.content.retention import Retention
from registry.metadata import attestations as rows
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from tests.clients.trees import cleared_image, refused_image
from tests.policy.attestation.published import REPOSITORY, result, tag_of
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.ageing import age_rows

DAY = 86_400
LATER = 1e10
"""A time at which everything here is old."""
SETTINGS: dict[str, Any] = {
    "gc": {"untagged_after_seconds": DAY},
    "retention": {"rules": [{"keep": [{"newest": 1}], "else": "delete"}]},
}


def collect(live: LiveGateway) -> None:
    """Remove untagged images, which are two days old."""
    stores = live.registry.app.services.stores
    asyncio.run(stores.metadata.write(age_rows, 2.0 * DAY))
    asyncio.run(GarbageCollector(stores.storage, stores.metadata, stores.settings).run())


def retain(live: LiveGateway) -> None:
    """Remove by rules what is untagged for a day."""
    stores = live.registry.app.services.stores
    work = Retention(stores.metadata, stores.settings, None, lambda: None, lambda: 1)
    asyncio.run(work.run(asyncio.run(work.plan(LATER))))


def recorded(live: LiveGateway, digest: str) -> int:
    """How many verdicts are kept of an image."""
    metadata = live.registry.app.services.stores.metadata
    return len(asyncio.run(metadata.read(rows.newest, RepositoryName(REPOSITORY), Digest(digest), 100)))


def status(client: httpx.Client, digest: str) -> int:
    """Of a request for the verdict's tag."""
    return client.get(f"/v2/{REPOSITORY}/manifests/{tag_of(digest)}").status_code


@pytest.mark.parametrize("remove", [collect, retain])
def test_they_go_with_what_is_removed(tmp_path: Path, remove: Callable[[LiveGateway], None]) -> None:
    """The image that a tag has left goes, with its verdict; the one that it points at keeps its own."""
    with live_gateway(tmp_path / "data", **SETTINGS) as live, live.client("admin") as client:
        gone = live.push(tmp_path / "first", f"{REPOSITORY}:v1", refused_image())
        kept = live.push(tmp_path / "second", f"{REPOSITORY}:v1", cleared_image())
        assert (recorded(live, gone), status(client, gone)) == (1, 200)
        remove(live)
        assert (recorded(live, gone), status(client, gone)) == (0, 404)
        assert (recorded(live, kept), result(client, kept)) == (1, "PASSED")
