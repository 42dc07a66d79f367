"""Clause c5, end-4b: a blob in a single POST."""

from registry.oci.digest import Digest
from tests.repository import Repository, code_of

CONTENT = b"in one request"


def test_blob_in_one_request(repository: Repository) -> None:
    """201, and the blob is there."""
    answer = repository.client.post(
        repository.url("blobs/uploads/"), params={"digest": Digest.of(CONTENT)}, content=CONTENT
    )
    assert answer.status_code == 201
    assert answer.headers["location"] == repository.url(f"blobs/{Digest.of(CONTENT)}")
    assert repository.client.get(answer.headers["location"]).content == CONTENT


def test_blob_in_one_stream(repository: Repository) -> None:
    """The body may come without a length."""
    query = {"digest": Digest.of(CONTENT, "sha512")}
    answer = repository.client.post(repository.url("blobs/uploads/"), params=query, content=iter([CONTENT]))
    assert (answer.status_code, answer.headers["docker-content-digest"]) == (201, query["digest"])


def test_wrong_digest(repository: Repository) -> None:
    """400, and nothing is stored."""
    wrong = Digest.of(b"else")
    answer = repository.client.post(repository.url("blobs/uploads/"), params={"digest": wrong}, content=CONTENT)
    assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")
    assert repository.head(f"blobs/{wrong}").status_code == 404


def test_malformed_digest(repository: Repository) -> None:
    """400 before the body counts."""
    answer = repository.client.post(repository.url("blobs/uploads/"), params={"digest": "x"}, content=CONTENT)
    assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")
