"""Clause c3, end-2: pulling blobs."""

import pytest

from registry.oci.digest import Digest
from tests.repository import Pushed, Repository, code_of

CONTENT = bytes(range(256)) * 8
ABSENT = "sha256:" + "0" * 64


@pytest.fixture
def blob(repository: Repository) -> Pushed:
    """2048 bytes that differ from place to place."""
    return repository.blob(CONTENT)


@pytest.mark.parametrize("content", [b"", b"x", CONTENT, b"long" * 700_000])
def test_exact_bytes(repository: Repository, content: bytes) -> None:
    """Every size, with length and digest on GET and HEAD; none is compressed on the way."""
    pushed = repository.blob(content)
    headers = {"Accept-Encoding": "zstd, gzip, deflate"}
    get, head = (method(f"blobs/{pushed.digest}", headers=headers) for method in (repository.get, repository.head))
    assert get.content == content
    for answer in (get, head):
        assert answer.headers["content-length"] == str(len(content))
        assert answer.headers["docker-content-digest"] == pushed.digest
        assert "content-encoding" not in answer.headers


def test_unknown_blob(repository: Repository, blob: Pushed) -> None:
    """404 BLOB_UNKNOWN, in a repository that exists."""
    answer = repository.get(f"blobs/{ABSENT}")
    assert (answer.status_code, code_of(answer), blob.raw) == (404, "BLOB_UNKNOWN", CONTENT)


@pytest.mark.parametrize("digest", ["sha256:short", "sha256:" + "G" * 64, "md5:" + "0" * 32, "uploads"])
def test_malformed_digest(repository: Repository, digest: str) -> None:
    """400 DIGEST_INVALID."""
    answer = repository.get(f"blobs/{digest}")
    assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")


def test_blobs_belong_to_their_repository(repository: Repository, blob: Pushed) -> None:
    """A blob that another repository holds is unknown here."""
    other = repository.beside("other")
    other.blob(b"so that it exists")
    assert other.head(f"blobs/{blob.digest}").status_code == 404


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-0", 0, 1), ("10-19", 10, 20), ("2000-", 2000, 2048), ("-48", 2000, 2048), ("2040-5000", 2040, 2048)],
)
def test_one_range(repository: Repository, blob: Pushed, asked: str, start: int, end: int) -> None:
    """206 with the bytes, their place and their number."""
    answer = repository.get(f"blobs/{blob.digest}", headers={"Range": f"bytes={asked}"})
    assert (answer.status_code, answer.content) == (206, CONTENT[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/2048"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("asked", ["5000-10000", "500-0", "2048-", "-0"])
def test_no_such_range(repository: Repository, blob: Pushed, asked: str) -> None:
    """416, with the size of the blob and a body of its own length."""
    answer = repository.get(f"blobs/{blob.digest}", headers={"Range": f"bytes={asked}"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */2048")
    assert code_of(answer) == "BLOB_UPLOAD_INVALID"
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("asked", ["bytes=0-1,x", "lines=1-2", "nonsense"])
def test_other_ranges_get_the_whole(repository: Repository, blob: Pushed, asked: str) -> None:
    """Other units, and what cannot be read: 200 and everything."""
    answer = repository.get(f"blobs/{blob.digest}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_ranges_are_announced(repository: Repository, blob: Pushed) -> None:
    """ORAS seeks only when Accept-Ranges says that it may."""
    for answer in (repository.get(f"blobs/{blob.digest}"), repository.head(f"blobs/{blob.digest}")):
        assert answer.headers["accept-ranges"] == "bytes"


def test_range_on_head_is_ignored(repository: Repository, blob: Pushed) -> None:
    """HEAD speaks of the whole blob."""
    answer = repository.head(f"blobs/{blob.digest}", headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.headers["content-length"]) == (200, "2048")


def test_if_range_with_the_etag(repository: Repository, blob: Pushed) -> None:
    """The part, when the blob is the one that the caller has a part of."""
    headers = {"Range": "bytes=0-1", "If-Range": f'"{blob.digest}"'}
    assert repository.get(f"blobs/{blob.digest}", headers=headers).status_code == 206


@pytest.mark.parametrize("condition", [f'"{ABSENT}"', "Sun, 01 Jan 2023 00:00:00 GMT"])
def test_if_range_with_anything_else(repository: Repository, blob: Pushed, condition: str) -> None:
    """The whole."""
    headers = {"Range": "bytes=0-1", "If-Range": condition}
    assert repository.get(f"blobs/{blob.digest}", headers=headers).status_code == 200


@pytest.mark.parametrize("condition", ["*", '"{digest}"', 'W/"{digest}"', '"a", "{digest}"'])
def test_known_blob_is_not_sent_again(repository: Repository, blob: Pushed, condition: str) -> None:
    """If-None-Match: 304 without a body."""
    headers = {"If-None-Match": condition.format(digest=blob.digest)}
    answer = repository.get(f"blobs/{blob.digest}", headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")


def test_blobs_may_be_kept(repository: Repository, blob: Pushed) -> None:
    """Content that is named by its digest never changes; only the caller's own cache may keep it."""
    assert repository.get(f"blobs/{blob.digest}").headers["cache-control"] == "private, max-age=31536000"


def test_sha512_blob(repository: Repository) -> None:
    """The digest in the header has the algorithm that was asked with."""
    pushed = repository.blob(b"strong", algorithm="sha512")
    answer = repository.get(f"blobs/{pushed.digest}")
    assert (answer.content, answer.headers["docker-content-digest"]) == (b"strong", Digest.of(b"strong", "sha512"))
