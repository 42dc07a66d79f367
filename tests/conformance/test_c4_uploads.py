"""Clause c4: upload sessions, end-4a, end-5, end-6, end-13, end-14."""

import threading
import uuid
from collections.abc import Iterator

import httpx
import pytest

from registry.oci.digest import Digest
from tests.repository import Repository, code_of

CONTENT = b"0123456789" * 30
DIGEST = Digest.of(CONTENT)


def _chunk(repository: Repository, location: str, start: int, end: int) -> httpx.Response:
    """PATCH the bytes [start, end) of the content."""
    headers = {"Content-Range": f"{start}-{end - 1}"}
    return repository.client.patch(location, content=CONTENT[start:end], headers=headers)


def _finish(repository: Repository, location: str, content: bytes = b"", digest: str = DIGEST) -> httpx.Response:
    return repository.client.put(location, params={"digest": digest}, content=content)


def test_session_has_a_uuid_and_a_relative_location(repository: Repository) -> None:
    """202; the last component is a UUID, said twice; clients resolve the path against the request."""
    answer = repository.client.post(repository.url("blobs/uploads/"))
    upload = answer.headers["location"].rpartition("/")[2]
    assert answer.headers["location"] == repository.url(f"blobs/uploads/{uuid.UUID(upload)}")
    assert (answer.headers["docker-upload-uuid"], answer.headers["range"]) == (upload, "0-0")


def test_whole_in_one_put(repository: Repository) -> None:
    """201 with the digest and a location from which the blob can be pulled."""
    answer = _finish(repository, repository.open_upload(), CONTENT)
    assert (answer.status_code, answer.headers["docker-content-digest"]) == (201, DIGEST)
    assert repository.client.get(answer.headers["location"]).content == CONTENT


@pytest.mark.parametrize("content", [CONTENT, CONTENT * 7_000], ids=["small", "large"])
def test_the_last_request_may_come_again(repository: Repository, content: bytes) -> None:
    """A client whose line was cut before it read the 201 is told the same; another digest finds nothing."""
    location, digest = repository.open_upload(), Digest.of(content)
    answers = [_finish(repository, location, content, digest) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert {(answer.headers["location"], answer.headers["docker-content-digest"]) for answer in answers} == {
        (repository.url(f"blobs/{digest}"), digest)
    }
    assert code_of(_finish(repository, location, content, Digest.of(b"other"))) == "BLOB_UPLOAD_UNKNOWN"
    assert repository.client.get(location).status_code == 404


def test_the_last_request_may_not_come_again_for_what_is_gone(repository: Repository) -> None:
    """404 once the blob was deleted: it has to be pushed again."""
    location = repository.open_upload()
    assert _finish(repository, location, CONTENT).status_code == 201
    assert repository.client.delete(repository.url(f"blobs/{DIGEST}")).status_code == 202
    assert _finish(repository, location, CONTENT).status_code == 404


def test_docker_way(repository: Repository) -> None:
    """A stream in one PATCH without length and range, then an empty PUT."""
    location = repository.open_upload()

    def pieces() -> Iterator[bytes]:
        yield CONTENT[:7]
        yield CONTENT[7:]

    answer = repository.client.patch(location, content=pieces())
    assert (answer.status_code, answer.headers["range"]) == (202, "0-299")
    assert _finish(repository, answer.headers["location"]).status_code == 201


def test_chunks_in_order(repository: Repository) -> None:
    """Each PATCH answers 202 with the range so far; the last chunk may come with the PUT."""
    location = repository.open_upload()
    assert _chunk(repository, location, 0, 100).headers["range"] == "0-99"
    assert _chunk(repository, location, 100, 250).headers["range"] == "0-249"
    headers = {"Content-Range": "250-299"}
    answer = repository.client.put(location, params={"digest": DIGEST}, content=CONTENT[250:], headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("start", [0, 50, 150])
def test_chunk_in_the_wrong_place(repository: Repository, start: int) -> None:
    """416 that says where the upload stands; the session goes on from there."""
    location = repository.open_upload()
    _chunk(repository, location, 0, 100)
    answer = _chunk(repository, location, start, 200)
    assert (answer.status_code, code_of(answer)) == (416, "BLOB_UPLOAD_INVALID")
    assert (answer.headers["range"], answer.headers["location"]) == ("0-99", location)
    assert answer.headers["content-length"] == str(len(answer.content))
    _chunk(repository, location, 100, 300)
    assert _finish(repository, location).status_code == 201


def test_last_chunk_in_the_wrong_place(repository: Repository) -> None:
    """A PUT with a Content-Range is checked like a PATCH: 416, and the session lives."""
    location = repository.open_upload()
    _chunk(repository, location, 0, 100)
    headers = {"Content-Range": "200-299"}
    answer = repository.client.put(location, params={"digest": DIGEST}, content=CONTENT[200:], headers=headers)
    assert (answer.status_code, answer.headers["range"]) == (416, "0-99")
    assert _finish(repository, location, CONTENT[100:]).status_code == 201


@pytest.mark.parametrize("text", ["abc", "0-", "100-50", "bytes", "0-99-3"])
def test_malformed_content_range(repository: Repository, text: str) -> None:
    """400, and nothing is taken."""
    location = repository.open_upload()
    answer = repository.client.patch(location, content=CONTENT, headers={"Content-Range": text})
    assert (answer.status_code, code_of(answer)) == (400, "BLOB_UPLOAD_INVALID")
    assert repository.client.get(location).headers["range"] == "0-0"


def test_range_that_is_not_the_length(repository: Repository) -> None:
    """400 SIZE_INVALID, and nothing is taken."""
    location = repository.open_upload()
    answer = repository.client.patch(location, content=CONTENT, headers={"Content-Range": "0-9"})
    assert (answer.status_code, code_of(answer)) == (400, "SIZE_INVALID")
    assert repository.client.get(location).headers["range"] == "0-0"


@pytest.mark.parametrize("end", [9, 999])
def test_range_that_is_not_the_length_of_a_stream(repository: Repository, end: int) -> None:
    """The same when the length shows only as the body comes."""
    location = repository.open_upload()
    headers = {"Content-Range": f"0-{end}"}
    answer = repository.client.patch(location, content=iter([CONTENT]), headers=headers)
    assert (answer.status_code, code_of(answer)) == (400, "SIZE_INVALID")
    assert repository.client.get(location).headers["range"] == "0-0"


def test_status(repository: Repository) -> None:
    """204 with location and range, however often it is asked, and with `digest=` on it."""
    location = repository.open_upload()
    _chunk(repository, location, 0, 100)
    for query in ({}, {"digest": DIGEST}):
        answer = repository.client.get(location, params=query)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (answer.headers["range"], answer.headers["location"]) == ("0-99", location)


def test_digest_may_stand_anywhere_in_the_query(repository: Repository) -> None:
    """Clients append their parameter to whatever query the location has."""
    for query in (f"digest={DIGEST}&_state=x", f"_state=x&digest={DIGEST}"):
        answer = repository.client.put(f"{repository.open_upload()}?{query}", content=CONTENT)
        assert answer.status_code == 201


def test_cancel(repository: Repository) -> None:
    """204, and the session is gone."""
    location = repository.open_upload()
    _chunk(repository, location, 0, 100)
    assert repository.client.delete(location).status_code == 204
    for answer in (repository.client.get(location), repository.client.delete(location), _finish(repository, location)):
        assert (answer.status_code, code_of(answer) if answer.content else "") == (404, "BLOB_UPLOAD_UNKNOWN")


@pytest.mark.parametrize("upload", ["none", "00000000-0000-4000-8000-000000000000", "..", "%00"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_unknown_session(client: httpx.Client, method: str, upload: str) -> None:
    """404 BLOB_UPLOAD_UNKNOWN; an id that is none leads nowhere else."""
    path = httpx.URL(f"/v2/clause/sessions/blobs/uploads/{upload.replace('..', '%2e%2e')}")
    answer = client.request(method, path, params={"digest": DIGEST})
    assert (answer.status_code, code_of(answer)) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_session_belongs_to_its_repository(repository: Repository) -> None:
    """Through another repository it is unknown, and stays open."""
    location = repository.open_upload()
    upload = location.rpartition("/")[2]
    assert repository.beside("other").get(f"blobs/uploads/{upload}").status_code == 404
    assert repository.client.get(location).status_code == 204


def test_wrong_digest(repository: Repository) -> None:
    """400 DIGEST_INVALID; nothing is stored under either digest, and the session is over."""
    wrong, location = Digest.of(b"something else"), repository.open_upload()
    answer = _finish(repository, location, CONTENT, wrong)
    assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")
    assert [repository.head(f"blobs/{digest}").status_code for digest in (wrong, DIGEST)] == [404, 404]
    assert repository.client.get(location).status_code == 404


@pytest.mark.parametrize("chunked", [True, False])
def test_wrong_digest_after_chunks(repository: Repository, *, chunked: bool) -> None:
    """The same when the bytes came before the PUT."""
    location = repository.open_upload()
    repository.client.patch(location, content=iter([CONTENT]) if chunked else CONTENT)
    assert _finish(repository, location, b"", Digest.of(b"else")).status_code == 400
    assert repository.head(f"blobs/{Digest.of(b'else')}").status_code == 404


@pytest.mark.parametrize("digest", ["", "sha256:short", "md5:" + "0" * 32, "sha256", "sha256:" + "A" * 64])
def test_malformed_digest(repository: Repository, digest: str) -> None:
    """400 DIGEST_INVALID, and the session lives."""
    location = repository.open_upload()
    answer = _finish(repository, location, CONTENT, digest)
    assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")
    assert repository.client.get(location).status_code == 204


def test_missing_digest(repository: Repository) -> None:
    """400: an upload is finished with the digest of its bytes."""
    answer = repository.client.put(repository.open_upload(), content=CONTENT)
    assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")


def test_finished_session_is_over(repository: Repository) -> None:
    """Another chunk finds nothing, nor does a PUT of something else."""
    location = repository.open_upload()
    _finish(repository, location, CONTENT)
    assert code_of(_chunk(repository, location, 0, 100)) == "BLOB_UPLOAD_UNKNOWN"
    assert code_of(_finish(repository, location, CONTENT, Digest.of(b"other"))) == "BLOB_UPLOAD_UNKNOWN"


@pytest.mark.parametrize("query", [{}, {"digest-algorithm": "sha512"}, {"digest-algorithm": "sha256"}])
def test_sha512_in_chunks(repository: Repository, query: dict[str, str]) -> None:
    """The final digest may be sha512, whether or not that was announced."""
    location, digest = repository.open_upload(**query), Digest.of(CONTENT, "sha512")
    _chunk(repository, location, 0, 100)
    answer = _finish(repository, location, CONTENT[100:], digest)
    assert (answer.status_code, answer.headers["docker-content-digest"]) == (201, digest)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "SHA256", "sha256; x", "blake3"])
def test_unsupported_algorithm(repository: Repository, algorithm: str) -> None:
    """400 when the session is opened."""
    answer = repository.client.post(repository.url("blobs/uploads/"), params={"digest-algorithm": algorithm})
    assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")


def test_empty_blob(repository: Repository) -> None:
    """Zero bytes are a blob as well."""
    answer = _finish(repository, repository.open_upload(), b"", Digest.of(b""))
    assert answer.status_code == 201
    assert repository.get(f"blobs/{Digest.of(b'')}").content == b""


def test_blob_that_is_there_already(repository: Repository) -> None:
    """Pushing again is fine."""
    for _ in range(2):
        assert _finish(repository, repository.open_upload(), CONTENT).status_code == 201


def test_same_blob_from_two_clients_at_once(repository: Repository) -> None:
    """Both succeed."""
    locations, statuses = [repository.open_upload() for _ in range(4)], []
    content = CONTENT * 5000

    def push(location: str) -> None:
        with httpx.Client(base_url=repository.client.base_url) as client:
            statuses.append(client.put(location, params={"digest": Digest.of(content)}, content=content).status_code)

    threads = [threading.Thread(target=push, args=(location,)) for location in locations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 4


def test_upload_url_without_a_slash(repository: Repository) -> None:
    """Some clients leave it out."""
    assert repository.client.post(repository.url("blobs/uploads")).status_code == 202


def test_bad_session_does_not_spoil_the_connection(repository: Repository) -> None:
    """A refusal before the body was read leaves the next request in step."""
    for size in (10, 100_000, 5_000_000):
        answer = repository.client.patch(repository.url("blobs/uploads/none"), content=b"GET / HTTP/1.1\r\n" * size)
        assert answer.status_code == 404
        assert repository.client.get("/v2/").status_code == 200
