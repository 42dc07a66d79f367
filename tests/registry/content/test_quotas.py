"""Quotas: how many bytes a repository may hold."""

import pytest

from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, QuotaExceeded
from registry.oci.names import Tag
from tests.registry.open_services import OTHER, PUSHER, REPOSITORY, OpenServices, image

QUOTAS = [{"repositories": ["team/app"], "bytes": 1000}]


def held(services: OpenServices, digest: Digest) -> bool:
    """Whether the repository shows a blob."""
    try:
        services.run(services.blobs.pull(PUSHER, REPOSITORY, digest))
    except BlobUnknown:
        return False
    return True


def test_an_upload_past_the_quota_is_refused(services: OpenServices) -> None:
    """The refusal gives the numbers, and the blob is not there."""
    services.configure(quotas=QUOTAS)
    services.run(services.push_blob(b"a" * 600))
    with pytest.raises(QuotaExceeded, match="1200 bytes, its quota is 1000") as caught:
        services.run(services.push_blob(b"b" * 600))
    assert caught.value.detail == {"bytes": 1200, "quota": 1000}
    assert not held(services, Digest.of(b"b" * 600))


def test_a_declared_size_past_the_quota_is_refused_at_the_start(services: OpenServices) -> None:
    """No byte has to be sent for that."""
    services.configure(quotas=QUOTAS)
    with pytest.raises(QuotaExceeded):
        services.run(services.uploads.start(REPOSITORY, PUSHER, size=1001))


def test_the_quota_may_be_used_up_exactly(services: OpenServices) -> None:
    """Its last byte can be used."""
    services.configure(quotas=QUOTAS)
    assert services.run(services.push_blob(b"a" * 1000))


def test_a_blob_counts_once(services: OpenServices) -> None:
    """Pushing it again needs no room."""
    services.configure(quotas=QUOTAS)
    for _ in range(3):
        services.run(services.push_blob(b"a" * 600))


def test_a_mount_past_the_quota_is_refused(services: OpenServices) -> None:
    """Mounted bytes count like uploaded ones."""
    services.configure(quotas=QUOTAS)
    digest = services.run(services.push_blob(b"a" * 1001, OTHER))
    with pytest.raises(QuotaExceeded):
        services.run(services.blobs.mount(PUSHER, REPOSITORY, digest, OTHER, lambda _name: True))
    assert not held(services, digest)


def test_a_manifest_past_the_quota_is_refused(services: OpenServices) -> None:
    """Manifests count as well."""
    services.run(services.push_image(Tag("v1")))
    services.configure(quotas=QUOTAS)
    with pytest.raises(QuotaExceeded):
        services.run(services.push_manifest(image(annotations={"long": "x" * 1000}), Tag("v2")))
    assert services.run(services.tag_names()) == ("v1",)


def test_other_repositories_have_no_quota(services: OpenServices) -> None:
    """Only those that a pattern matches."""
    services.configure(quotas=QUOTAS)
    assert services.run(services.push_blob(b"a" * 5000, OTHER))


def test_the_first_matching_quota_counts(services: OpenServices) -> None:
    """A narrow one before a wide one."""
    services.configure(quotas=[*QUOTAS, {"repositories": ["*"], "bytes": 10}])
    assert services.run(services.push_blob(b"a" * 600))
    with pytest.raises(QuotaExceeded):
        services.run(services.push_blob(b"a" * 600, OTHER))
