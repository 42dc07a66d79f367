"""Blobs of repositories: seen only where they belong, mounted with leave, deleted when nobody needs them."""

from pathlib import Path

import pytest

from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, Denied, Unsupported
from registry.oci.names import RepositoryName, Tag
from tests.registry.gates import REFUSED, GateOfTests
from tests.registry.open_services import OTHER, PUSHER, REPOSITORY, OpenServices, open_services

CONTENT = b"content"
DIGEST = Digest.of(CONTENT)


def anywhere(_repository: str) -> bool:
    """The caller may pull everywhere."""
    return True


def nowhere(_repository: str) -> bool:
    """The caller may pull nowhere else."""
    return False


def visible(services: OpenServices, repository: RepositoryName = OTHER) -> bool:
    """Whether the blob can be pulled from a repository."""
    try:
        return services.run(services.blobs.pull(PUSHER, repository, DIGEST)).size == len(CONTENT)
    except BlobUnknown:
        return False


def test_a_pushed_blob_can_be_pulled(services: OpenServices) -> None:
    """From its repository, with its size and path."""
    services.run(services.push_blob(CONTENT))
    blob = services.run(services.blobs.pull(PUSHER, REPOSITORY, DIGEST))
    assert blob.path is not None
    assert (blob.size, blob.path.read_bytes()) == (7, CONTENT)


def test_a_blob_is_unknown_to_other_repositories(services: OpenServices) -> None:
    """The store holds it, another repository does not show it."""
    services.run(services.push_blob(CONTENT))
    assert not visible(services)


def test_the_gate_can_withhold_a_blob(tmp_path: Path) -> None:
    """The refusal carries the gate's message and detail."""
    gate = GateOfTests()
    with open_services(tmp_path, gate) as services:
        services.run(services.push_blob(CONTENT))
        gate.refused.add(DIGEST)
        with pytest.raises(Denied, match="not cleared") as caught:
            services.run(services.blobs.pull(PUSHER, REPOSITORY, DIGEST))
    assert caught.value.detail == REFUSED.detail


@pytest.mark.parametrize("source", [REPOSITORY, None])
def test_a_mount_links_the_blob(services: OpenServices, source: RepositoryName | None) -> None:
    """With the source named, or found."""
    services.run(services.push_blob(CONTENT))
    assert services.run(services.blobs.mount(PUSHER, OTHER, DIGEST, source, anywhere))
    assert visible(services)


def test_a_mount_from_where_the_blob_is_not_fails(services: OpenServices) -> None:
    """Another repository holding it does not help the source that was named."""
    services.run(services.push_blob(CONTENT))
    assert not services.run(services.blobs.mount(PUSHER, OTHER, DIGEST, OTHER, anywhere))
    assert not visible(services)


@pytest.mark.parametrize("source", [REPOSITORY, None])
def test_a_mount_needs_pull_on_the_source(services: OpenServices, source: RepositoryName | None) -> None:
    """What the caller may not read is not mounted."""
    services.run(services.push_blob(CONTENT))
    assert not services.run(services.blobs.mount(PUSHER, OTHER, DIGEST, source, nowhere))
    assert not visible(services)


def test_a_mount_does_not_get_around_the_gate(tmp_path: Path) -> None:
    """A blob that is withheld from the caller is not linked where it could be read."""
    gate = GateOfTests()
    with open_services(tmp_path, gate) as services:
        services.run(services.push_blob(CONTENT))
        gate.refused.add(DIGEST)
        assert not services.run(services.blobs.mount(PUSHER, OTHER, DIGEST, REPOSITORY, anywhere))


def test_a_deleted_blob_is_unknown_here_only(services: OpenServices) -> None:
    """Another repository that holds it keeps it."""
    for repository in (REPOSITORY, OTHER):
        services.run(services.push_blob(CONTENT, repository))
    services.run(services.blobs.delete(REPOSITORY, DIGEST))
    assert [visible(services, name) for name in (REPOSITORY, OTHER)] == [False, True]


def test_deleting_an_unknown_blob_says_so(services: OpenServices) -> None:
    """Also when another repository holds it."""
    services.run(services.push_blob(CONTENT, OTHER))
    with pytest.raises(BlobUnknown):
        services.run(services.blobs.delete(REPOSITORY, DIGEST))


def test_a_blob_in_use_is_not_deleted(services: OpenServices) -> None:
    """The refusal names the manifest; without that, the blob goes."""
    pushed = services.run(services.push_image(Tag("v1"), [CONTENT]))
    with pytest.raises(Unsupported, match=pushed.digest):
        services.run(services.blobs.delete(REPOSITORY, DIGEST))
    services.run(services.manifests.delete(REPOSITORY, pushed.digest))
    services.run(services.blobs.delete(REPOSITORY, DIGEST))
    assert not visible(services, REPOSITORY)


def test_deletes_can_be_switched_off(services: OpenServices) -> None:
    """Then they are unsupported, and the blob stays."""
    services.run(services.push_blob(CONTENT))
    services.configure(manifests={"deletes": False})
    with pytest.raises(Unsupported, match=r"manifests\.deletes"):
        services.run(services.blobs.delete(REPOSITORY, DIGEST))
    assert visible(services, REPOSITORY)


def test_a_deleted_blob_can_be_pushed_again(services: OpenServices) -> None:
    """As if it had never been there."""
    for _ in range(2):
        services.run(services.push_blob(CONTENT))
        assert visible(services, REPOSITORY)
        services.run(services.blobs.delete(REPOSITORY, DIGEST))
