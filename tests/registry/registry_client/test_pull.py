"""Reading from real registries: manifests, blobs, lists."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag
from registry.registry_client.client import RegistryClient
from registry.registry_client.errors import Absent, Unusable
from registry.registry_client.pull import RemoteManifest
from tests.other_registries import distribution
from tests.registry.registry_client.clients import APP, blob_of, with_client
from tests.repository import Pushed, Repository
from tests.servers import open_registry

NOWHERE = Digest.of(b"nowhere")


@pytest.fixture(params=["basegate", "distribution"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repository]:
    """A repository of a registry, ours and another."""
    with ExitStack() as opened:
        if request.param == "basegate":
            client = opened.enter_context(opened.enter_context(open_registry(tmp_path / "data")).client())
        else:
            client = opened.enter_context(opened.enter_context(distribution(tmp_path / "other")).client())
        yield Repository(client, APP)


def host_of(repository: Repository) -> str:
    """Where it is."""
    return repository.client.base_url.netloc.decode()


def manifest(host: str, name: RepositoryName, reference: Reference) -> RemoteManifest:
    """What a client gets for a reference."""
    return with_client(host, lambda client: client.pull.manifest(name, reference))


def pushed(repository: Repository) -> tuple[Pushed, Pushed]:
    """An image under the tag v1, and its one layer of 3 MiB."""
    layer = repository.blob(os.urandom(3 << 20))
    return repository.image("v1", layer), layer


def test_a_manifest_by_tag_and_by_digest(repository: Repository) -> None:
    """Both give the bytes as they were pushed, their type and digest."""
    image, _ = pushed(repository)
    for reference in (Tag("v1"), image.digest):
        found = manifest(host_of(repository), APP, reference)
        assert (found.digest, found.media_type, found.raw) == (image.digest, image.media_type, image.raw)


def test_a_tag_is_resolved(repository: Repository) -> None:
    """The digest of a tag comes without the manifest."""
    image, _ = pushed(repository)
    assert with_client(host_of(repository), lambda client: client.pull.resolve(APP, Tag("v1"))) == image.digest


def test_what_is_not_there(repository: Repository) -> None:
    """Manifests, blobs and repositories that are not there are absent, each in its way."""
    pushed(repository)
    host = host_of(repository)
    for name, reference in ((APP, Tag("v2")), (APP, NOWHERE), (RepositoryName("no/such"), Tag("v1"))):
        with pytest.raises(Absent):
            manifest(host, name, reference)
    assert with_client(host, lambda client: client.pull.blob_size(APP, NOWHERE)) is None
    with pytest.raises(Absent):
        blob_of(host, NOWHERE, 10)


def test_a_blob_whole_and_from_its_middle(repository: Repository) -> None:
    """A blob comes whole, and from any byte on."""
    _, layer = pushed(repository)
    host = host_of(repository)
    assert with_client(host, lambda client: client.pull.blob_size(APP, layer.digest)) == len(layer.raw)
    for start in (0, 1, 1_000_000, len(layer.raw) - 1, len(layer.raw)):
        assert blob_of(host, layer.digest, len(layer.raw), start) == layer.raw[start:]


@pytest.mark.parametrize("wrong", [-1, 1])
def test_a_blob_of_another_size(repository: Repository, wrong: int) -> None:
    """A blob that is not of the size that its manifest says is refused before a byte is taken."""
    _, layer = pushed(repository)
    with pytest.raises(Unusable, match="the manifest says"):
        blob_of(host_of(repository), layer.digest, len(layer.raw) + wrong)


def test_tags_and_repositories(repository: Repository) -> None:
    """All tags and repositories are listed."""
    image, _ = pushed(repository)
    tags = ["v1", *(f"t{number:02}" for number in range(12))]
    for tag in tags[1:]:
        repository.put(tag, image.raw)

    async def listed(client: RegistryClient) -> tuple[list[str], list[str]]:
        found = [tag async for tag in client.pull.tags(APP)]
        return [str(tag) for tag in found], [str(name) async for name in client.pull.repositories()]

    assert with_client(host_of(repository), listed) == (sorted(tags), [APP])


def test_pages_are_followed(tmp_path: Path) -> None:
    """A list of several pages is read to its end."""
    with open_registry(tmp_path, limits={"tags_page": 2}) as live, live.client() as client:
        repository = Repository(client, APP)
        image = repository.image("a")
        for tag in "bcde":
            repository.put(tag, image.raw)

        async def tags(client: RegistryClient) -> str:
            return "".join([tag async for tag in client.pull.tags(APP)])

        assert with_client(live.host, tags) == "abcde"
        with pytest.raises(Unusable, match="endless"):
            with_client(live.host, tags, pages=2)


def test_referrers(repository: Repository) -> None:
    """Referrers come from the list, and where a registry has none, from the tag that clients keep instead."""
    image, _ = pushed(repository)
    note = repository.image("", subject=image.descriptor, artifactType="application/x-note")
    host = host_of(repository)
    if not repository.get(f"referrers/{image.digest}").is_success:
        repository.index(image.digest.replace(":", "-"), note)
    found = with_client(host, lambda client: client.pull.referrers(APP, image.digest))
    assert [entry.digest for entry in found] == [note.digest]
    assert with_client(host, lambda client: client.pull.referrers(APP, NOWHERE)) == ()


def test_a_registry_that_is_none(tmp_path: Path) -> None:
    """Asking whether there is a registry succeeds where there is one."""
    with open_registry(tmp_path) as live:
        with_client(live.host, lambda client: client.pull.check())
