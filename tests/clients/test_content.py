"""What every client does with content: push, pull, list, refer, delete."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import httpx
import pytest

from registry.oci import media_types
from tests.clients.client import Attaches, Client, Deletes, Indexes, Lists
from tests.clients.roster import every
from tests.clients.site import Site

Trial = Callable[..., None]


def _digest(site: Site, repository: str, tag: str) -> str:
    with site.http() as http:
        accept = {"Accept": ", ".join(media_types.MANIFESTS)}
        found = http.head(f"/v2/{repository}/manifests/{tag}", headers=accept)
    assert found.status_code == httpx.codes.OK, f"{repository}:{tag} is not in the registry: {found.status_code}"
    return found.headers["Docker-Content-Digest"]


@pytest.mark.parametrize("entry", every())
def test_push(client: Client, site: Site, repository: str, trial: Trial) -> None:
    """An image that was pushed is in the registry under its tag."""
    client.push(site.layout, "cleared", site.name(repository, "v1")).check()
    assert _digest(site, repository, "v1").startswith("sha256:")
    trial("push")


@pytest.mark.parametrize("entry", every())
def test_pull_by_tag(client: Client, site: Site, repository: str, trial: Trial) -> None:
    """An image that was pushed comes back by its tag."""
    client.push(site.layout, "cleared", site.name(repository, "v1")).check()
    client.pull(site.name(repository, "v1")).check()
    trial("pull by tag")


@pytest.mark.parametrize("entry", every())
def test_pull_by_digest(client: Client, site: Site, repository: str, trial: Trial) -> None:
    """An image that was pushed comes back by its digest."""
    client.push(site.layout, "cleared", site.name(repository, "v1")).check()
    client.pull(f"{site.endpoint.host}/{repository}@{_digest(site, repository, 'v1')}").check()
    trial("pull by digest")


@pytest.mark.parametrize("entry", every("push_index"))
def test_several_platforms(client: Client, site: Site, repository: str, trial: Trial) -> None:
    """An index of two platforms goes in and comes back."""
    cast("Indexes", client).push_index(site.layout, "platforms", site.name(repository, "v1")).check()
    with site.http() as http:
        accept = {"Accept": ", ".join(media_types.INDEXES)}
        index = http.get(f"/v2/{repository}/manifests/v1", headers=accept).json()
    found = {child["platform"]["architecture"] for child in index["manifests"]}
    client.pull(site.name(repository, "v1")).check()
    assert found == {"amd64", "arm64"}
    trial("several platforms")


@pytest.mark.parametrize("entry", every("tags"))
def test_list_tags(client: Client, site: Site, repository: str, trial: Trial) -> None:
    """A client that can list tags finds those that were pushed."""
    for tag in ("blue", "green"):
        client.push(site.layout, "cleared", site.name(repository, tag)).check()
    said = cast("Lists", client).tags(f"{site.endpoint.host}/{repository}").check().output
    assert "blue" in said
    assert "green" in said
    trial("list tags")


@pytest.mark.parametrize("entry", every("attach"))
def test_referrers(client: Client, site: Site, repository: str, tmp_path: Path, trial: Trial) -> None:
    """An artifact that was attached to an image is found from the image."""
    attaching, name = cast("Attaches", client), site.name(repository, "v1")
    client.push(site.layout, "cleared", name).check()
    file = tmp_path / "sbom.json"
    file.write_text("{}")
    attaching.attach(name, "application/spdx+json", file).check()
    assert "application/spdx+json" in attaching.referrers(name).check().output
    trial("referrers")


@pytest.mark.parametrize("entry", every("delete"))
def test_delete(client: Client, site: Site, repository: str, trial: Trial) -> None:
    """A manifest that was deleted by its digest is gone, by tag as well."""
    client.push(site.layout, "cleared", site.name(repository, "v1")).check()
    digest = _digest(site, repository, "v1")
    cast("Deletes", client).delete(f"{site.endpoint.host}/{repository}@{digest}").check()
    assert not client.pull(site.name(repository, "v1")).ok
    trial("delete")
