"""Clause c2, end-3: pulling manifests."""

import pytest

from registry.oci import media_types
from registry.oci.digest import Digest
from tests.repository import Repository, code_of

ABSENT = "sha256:" + "0" * 64


def test_exact_bytes_by_tag_and_digest(repository: Repository) -> None:
    """What was pushed comes back byte for byte, odd white space included."""
    raw = b"\n" + repr(repository.image_document()).replace("'", '"').encode() + b"  \n"
    repository.put("odd", raw)
    assert repository.get("manifests/odd").content == raw
    assert repository.get(f"manifests/{Digest.of(raw)}").content == raw


def test_digest_length_and_type_on_get_and_head(repository: Repository) -> None:
    """ggcr needs all three on HEAD; the type is the pushed one, without parameters."""
    image = repository.image("v1")
    for answer in (repository.get("manifests/v1"), repository.head("manifests/v1")):
        assert answer.headers["docker-content-digest"] == image.digest
        assert answer.headers["content-length"] == str(len(image.raw))
        assert answer.headers["content-type"] == media_types.OCI_MANIFEST


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html, */*;q=0.1"])
def test_accept_never_hides_a_manifest(repository: Repository, accept: str | None) -> None:
    """The stored manifest is served as it is, whatever Accept says."""
    repository.image("v1")
    headers = {"Accept": accept} if accept else {}
    assert repository.get("manifests/v1", headers=headers).status_code == 200


def test_several_accept_lines(repository: Repository) -> None:
    """docker and the official suite send one type a line."""
    index = repository.index("v1")
    answer = repository.get(
        "manifests/v1", headers=[("Accept", media_types.OCI_MANIFEST), ("Accept", index.media_type)]
    )
    assert answer.headers["content-type"] == media_types.OCI_INDEX


@pytest.mark.parametrize("reference", ["none", ABSENT])
def test_missing_manifest(repository: Repository, reference: str) -> None:
    """404 MANIFEST_UNKNOWN in a repository that exists."""
    repository.image("v1")
    answer = repository.get(f"manifests/{reference}")
    assert (answer.status_code, code_of(answer)) == (404, "MANIFEST_UNKNOWN")


@pytest.mark.parametrize("reference", ["v1", ABSENT])
def test_missing_repository(repository: Repository, reference: str) -> None:
    """404 NAME_UNKNOWN."""
    answer = repository.get(f"manifests/{reference}")
    assert (answer.status_code, code_of(answer)) == (404, "NAME_UNKNOWN")


@pytest.mark.parametrize("digest", ["sha256:baddigeststring", "sha256:totallywrong", "md5:" + "0" * 32, "a:b:c", ":"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_malformed_digest(repository: Repository, method: str, digest: str) -> None:
    """400, never 500."""
    assert repository.client.request(method, repository.url(f"manifests/{digest}")).status_code == 400


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_malformed_tag_is_not_found(repository: Repository, method: str) -> None:
    """What cannot be a tag cannot be found: 404, as the official suite wants it."""
    assert repository.client.request(method, repository.url("manifests/.INVALID_MANIFEST_NAME")).status_code == 404


def test_manifests_belong_to_their_repository(repository: Repository) -> None:
    """A manifest of one repository is not seen through another."""
    image, other = repository.image("v1"), repository.beside("other")
    other.image("v2", other.blob(b"something else"))
    assert other.get(f"manifests/{image.digest}").status_code == 404


def test_known_manifest_is_not_sent_again(repository: Repository) -> None:
    """If-None-Match with the ETag: 304 without a body, still with digest and ETag."""
    image = repository.image("v1")
    answer = repository.get("manifests/v1", headers={"If-None-Match": f'"other", W/"{image.digest}"'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert (answer.headers["etag"], answer.headers["docker-content-digest"]) == (f'"{image.digest}"', image.digest)


def test_changed_manifest_is_sent(repository: Repository) -> None:
    """Another ETag means the caller has something else."""
    repository.image("v1")
    assert repository.get("manifests/v1", headers={"If-None-Match": f'"{ABSENT}"'}).status_code == 200


def test_tag_pushed_from_a_sha512_digest_answers_sha512(repository: Repository) -> None:
    """The digest in the header has the algorithm that the manifest was pushed with."""
    raw = repository.image("plain").raw + b" "
    digest = Digest.of(raw, "sha512")
    answer = repository.client.put(
        repository.url(f"manifests/{digest}"),
        params={"tag": "strong"},
        content=raw,
        headers={"Content-Type": media_types.OCI_MANIFEST},
    )
    assert (answer.status_code, answer.headers["docker-content-digest"]) == (201, digest)
    assert repository.head("manifests/strong").headers["docker-content-digest"] == digest
