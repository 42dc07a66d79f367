"""Clause c10, end-9 and end-10: deletes and what follows from them."""

from pathlib import Path

import pytest

from registry.oci.digest import Digest
from tests.repository import Repository, code_of
from tests.servers import open_registry

ABSENT = "sha256:" + "0" * 64


def test_tag_goes_alone(repository: Repository) -> None:
    """202; the manifest stays by digest and under its other tags."""
    image = repository.image("one")
    repository.put("two", image.raw)
    assert repository.delete("manifests/one").status_code == 202
    assert repository.get("manifests/one").status_code == 404
    assert [repository.get(f"manifests/{reference}").status_code for reference in ("two", image.digest)] == [200, 200]


def test_digest_takes_its_tags_along(repository: Repository) -> None:
    """202; nothing is found by digest, by any tag, or in the list."""
    image = repository.image("one")
    repository.put("two", image.raw)
    assert repository.delete(f"manifests/{image.digest}").status_code == 202
    statuses = [repository.get(f"manifests/{reference}").status_code for reference in (image.digest, "one", "two")]
    assert statuses == [404, 404, 404]
    assert repository.get("tags/list").json()["tags"] == []


@pytest.mark.parametrize("reference", ["none", ABSENT])
def test_unknown_manifest(repository: Repository, reference: str) -> None:
    """404 MANIFEST_UNKNOWN."""
    repository.image("v1")
    answer = repository.delete(f"manifests/{reference}")
    assert (answer.status_code, code_of(answer)) == (404, "MANIFEST_UNKNOWN")


@pytest.mark.parametrize("rest", ["manifests/v1", f"manifests/{ABSENT}", f"blobs/{ABSENT}"])
def test_unknown_repository(repository: Repository, rest: str) -> None:
    """404."""
    assert repository.delete(rest).status_code == 404


def test_blob(repository: Repository) -> None:
    """202; the blob is gone at once, here and not elsewhere."""
    blob, other = repository.blob(b"to be deleted"), repository.beside("other")
    other.blob(b"to be deleted")
    assert repository.delete(f"blobs/{blob.digest}").status_code == 202
    assert repository.head(f"blobs/{blob.digest}").status_code == 404
    assert other.get(f"blobs/{blob.digest}").content == b"to be deleted"


def test_unknown_blob(repository: Repository) -> None:
    """404 BLOB_UNKNOWN in a repository that exists."""
    repository.blob(b"there")
    answer = repository.delete(f"blobs/{ABSENT}")
    assert (answer.status_code, code_of(answer)) == (404, "BLOB_UNKNOWN")


@pytest.mark.parametrize("rest", ["blobs/sha256:x", "manifests/sha256:x", "manifests/.x"])
def test_malformed_reference(repository: Repository, rest: str) -> None:
    """400."""
    assert repository.delete(rest).status_code == 400


def test_push_after_delete(repository: Repository) -> None:
    """The same blob, deleted and pushed again, is there."""
    for _ in range(2):
        blob = repository.blob(b"again")
        assert repository.get(f"blobs/{blob.digest}").content == b"again"
        assert repository.delete(f"blobs/{blob.digest}").status_code == 202


def test_image_after_delete(repository: Repository) -> None:
    """The same for a manifest with its tag."""
    for _ in range(2):
        image = repository.image("v1", repository.blob(b"layer"))
        assert repository.get("manifests/v1").content == image.raw
        assert repository.delete(f"manifests/{image.digest}").status_code == 202


def test_deletes_switched_off(tmp_path: Path) -> None:
    """405 UNSUPPORTED for tags, manifests and blobs; everything stays."""
    with open_registry(tmp_path / "data", manifests={"deletes": False}) as live, live.client() as client:
        repository = Repository(client, "kept")
        image = repository.image("v1", repository.blob(b"layer"))
        for rest in ("manifests/v1", f"manifests/{image.digest}", f"blobs/{Digest.of(b'layer')}"):
            answer = repository.delete(rest)
            assert (answer.status_code, code_of(answer)) == (405, "UNSUPPORTED")
        assert repository.get("manifests/v1").status_code == 200
