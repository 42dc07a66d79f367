"""Clause c6, end-11: mounting a blob from another repository."""

import httpx
import pytest

from registry.oci.digest import Digest
from tests.repository import Repository, code_of


def _mount(target: Repository, **query: str) -> httpx.Response:
    return target.client.post(target.url("blobs/uploads/"), params=query)


def test_mount(repository: Repository) -> None:
    """201 with the location in the target, where the blob is now."""
    blob, target = repository.blob(b"mounted"), repository.beside("target")
    answer = _mount(target, mount=blob.digest, **{"from": repository.name})
    assert (answer.status_code, answer.headers["location"]) == (201, target.url(f"blobs/{blob.digest}"))
    assert answer.headers["docker-content-digest"] == blob.digest
    assert target.get(f"blobs/{blob.digest}").content == b"mounted"


def test_source_must_hold_the_blob(repository: Repository) -> None:
    """A blob that only a third repository holds is not mounted: 202, and the client uploads it."""
    blob, source, target = repository.blob(b"elsewhere"), repository.beside("source"), repository.beside("target")
    source.blob(b"so that it exists")
    answer = _mount(target, mount=blob.digest, **{"from": source.name})
    assert answer.status_code == 202
    assert target.head(f"blobs/{blob.digest}").status_code == 404
    assert target.client.put(
        answer.headers["location"], params={"digest": blob.digest}, content=b"elsewhere"
    ).is_success


@pytest.mark.parametrize("source", ["no/such/repository", "NOT A NAME", ""])
def test_source_that_is_none(repository: Repository, source: str) -> None:
    """A push is never refused for it: 202."""
    digest = Digest.of(f"nowhere {source}".encode())
    assert _mount(repository, mount=digest, **{"from": source}).status_code == 202


def test_without_a_source_it_is_found_anywhere(repository: Repository) -> None:
    """skopeo asks without `from`: 201 when a repository that the caller may read has it."""
    blob, target = repository.blob(f"anywhere {repository.name}".encode()), repository.beside("target")
    assert _mount(target, mount=blob.digest).status_code == 201
    assert target.get(f"blobs/{blob.digest}").content == blob.raw


def test_unknown_blob_without_a_source(repository: Repository) -> None:
    """202 with a session that can be cancelled."""
    answer = _mount(repository, mount=Digest.of(repository.name.encode()))
    assert answer.status_code == 202
    assert repository.client.delete(answer.headers["location"]).status_code == 204


def test_malformed_digest(repository: Repository) -> None:
    """400 DIGEST_INVALID."""
    answer = _mount(repository, mount="sha256:none", **{"from": repository.name})
    assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")
