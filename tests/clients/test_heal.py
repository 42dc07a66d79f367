"""Damaged content is healed by the next push of the same image, whatever client pushes it."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.client import Client
from tests.clients.roster import every
from tests.clients.site import Site
from tests.registry.damages import cut


def _blobs(site: Site, repository: str) -> list[str]:
    """The digests of an image's configuration and layers."""
    with site.http() as http:
        document: dict[str, Any] = http.get(f"/v2/{repository}/manifests/v1").raise_for_status().json()
    return [item["digest"] for item in (document["config"], *document["layers"])]


def _file(site: Site, digest: str) -> Path:
    algorithm, _, encoded = digest.partition(":")
    return site.data / "blobs" / algorithm / encoded[:2] / encoded


def _statuses(site: Site, repository: str, blobs: list[str]) -> set[int]:
    with site.http() as http:
        return {http.head(f"/v2/{repository}/blobs/{digest}").status_code for digest in blobs}


@pytest.mark.parametrize("entry", every())
def test_a_push_heals_damaged_content(client: Client, site: Site, repository: str) -> None:
    """It is 404 until the client pushes again; then the image can be pulled as before."""
    client.push(site.layout, "cleared", site.name(repository, "v1")).check()
    blobs = _blobs(site, repository)
    for digest in blobs:
        cut(_file(site, digest))
    assert _statuses(site, repository, blobs) == {httpx.codes.NOT_FOUND}
    client.push(site.layout, "cleared", site.name(repository, "v1")).check()
    assert _statuses(site, repository, _blobs(site, repository)) == {httpx.codes.OK}
    client.pull(site.name(repository, "v1")).check()
