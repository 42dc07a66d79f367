"""Upload sessions: offsets, sizes, digests, ends."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from registry.content.uploads import UploadSession
from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown, DigestInvalid, RangeNotSatisfiable, SizeInvalid, Unavailable
from tests.registry.open_services import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenServices,
    open_services,
    pieces,
)


def begun(services: OpenServices, *contents: bytes) -> UploadSession:
    """A session that holds some bytes."""
    session = services.run(services.uploads.start(REPOSITORY, PUSHER))
    for content in contents:
        services.run(services.uploads.append(session, pieces(content), None, None))
    return session


async def cut_off(*contents: bytes) -> AsyncIterator[bytes]:
    """A body whose client goes away."""
    for content in contents:
        yield content
    raise ConnectionResetError


def test_a_session_remembers_who_opened_it_and_where(services: OpenServices) -> None:
    """Its id is a UUID; repository, principal and algorithm are those it was opened with."""
    session = begun(services)
    assert str(uuid.UUID(session.id)) == session.id
    assert (session.repository, session.principal_id, session.algorithm) == (REPOSITORY, PUSHER.id, "sha256")


def test_an_unsupported_algorithm_is_refused_at_the_start(services: OpenServices) -> None:
    """md5 opens no session."""
    with pytest.raises(DigestInvalid, match="md5"):
        services.run(services.uploads.start(REPOSITORY, PUSHER, "md5"))


def test_chunks_add_up(services: OpenServices) -> None:
    """Each append returns the new size; the whole becomes the blob."""
    session = begun(services)
    sizes = [
        services.run(services.uploads.append(session, pieces(b"abc"), 0, 3)),
        services.run(services.uploads.append(session, pieces(b"d", b"e"), 3, 2)),
    ]
    blob = services.run(services.uploads.finish(session, Digest.of(b"abcdef"), pieces(b"f"), 5, 1))
    assert (sizes, blob.size) == ([3, 5], 6)


@pytest.mark.parametrize("start", [0, 2, 4, 100])
def test_a_chunk_out_of_order_changes_nothing(services: OpenServices, start: int) -> None:
    """It is refused with 416, and the session goes on from where it stood."""
    session = begun(services, b"abc")
    with pytest.raises(RangeNotSatisfiable):
        services.run(services.uploads.append(session, pieces(b"x"), start, 1))
    assert services.run(services.uploads.append(session, pieces(b"d"), 3, 1)) == 4


def test_a_last_chunk_out_of_order_leaves_the_session_open(services: OpenServices) -> None:
    """A finish at the wrong offset is refused, the right one succeeds afterwards."""
    session = begun(services, b"abc")
    with pytest.raises(RangeNotSatisfiable):
        services.run(services.uploads.finish(session, Digest.of(b"abcd"), pieces(b"d"), 2, 1))
    assert services.run(services.uploads.finish(session, Digest.of(b"abcd"), pieces(b"d"), 3, 1)).size == 4


@pytest.mark.parametrize("announced", [1, 3])
def test_a_chunk_of_another_size_than_announced_changes_nothing(services: OpenServices, announced: int) -> None:
    """Too long or too short, none of it counts."""
    session = begun(services, b"abc")
    with pytest.raises(SizeInvalid):
        services.run(services.uploads.append(session, pieces(b"x", b"y"), 3, announced))
    assert services.run(services.uploads.finish(session, Digest.of(b"abcd"), pieces(b"d"), 3, 1)).size == 4


def test_what_came_before_a_cut_counts(services: OpenServices) -> None:
    """A client that went away can go on behind its last byte."""
    session = begun(services)
    with pytest.raises(ConnectionResetError):
        services.run(services.uploads.append(session, cut_off(b"abc"), None, None))
    assert session.size == 3
    assert services.run(services.uploads.finish(session, Digest.of(b"abcd"), pieces(b"d"), 3, 1)).size == 4


def test_large_bodies_go_to_disk_in_batches(services: OpenServices) -> None:
    """Five megabytes in small pieces arrive in order."""
    content = [bytes([number % 251]) * 4099 for number in range(1300)]
    session = begun(services)
    blob = services.run(services.uploads.finish(session, Digest.of(b"".join(content)), pieces(*content), None, None))
    assert blob.path is not None
    assert blob.path.read_bytes() == b"".join(content)


def test_a_wrong_digest_ends_the_session_and_stores_nothing(services: OpenServices) -> None:
    """Afterwards the session is unknown and neither digest is a blob."""
    session = begun(services, b"content")
    with pytest.raises(DigestInvalid):
        services.run(services.uploads.finish(session, Digest.of(b"other"), pieces(), None, 0))
    with pytest.raises(BlobUploadUnknown):
        services.run(services.uploads.session(REPOSITORY, session.id))
    assert [services.run(services.storage.stat(Digest.of(text))) for text in (b"content", b"other")] == [None, None]


@pytest.mark.parametrize("end", ["finish", "cancel"])
def test_a_session_that_is_over_is_unknown(services: OpenServices, end: str) -> None:
    """Looking it up and writing to it both say so."""
    session = begun(services, b"x")
    work = services.uploads.finish(session, Digest.of(b"x"), pieces(), None, 0)
    services.run(work if end == "finish" else services.uploads.cancel(session))
    work.close()
    with pytest.raises(BlobUploadUnknown):
        services.run(services.uploads.session(REPOSITORY, session.id))
    with pytest.raises(BlobUploadUnknown):
        services.run(services.uploads.append(session, pieces(b"y"), None, None))


def test_a_session_belongs_to_its_repository(services: OpenServices) -> None:
    """Through another repository it is unknown."""
    session = begun(services)
    with pytest.raises(BlobUploadUnknown):
        services.run(services.uploads.session(OTHER, session.id))


@pytest.mark.parametrize(
    "upload_id", ["", "x", "../../etc", str(uuid.UUID(int=1)), str(uuid.UUID(int=1)).upper() + "/"]
)
def test_a_made_up_session_is_unknown(services: OpenServices, upload_id: str) -> None:
    """Ids that were never given, paths among them."""
    with pytest.raises(BlobUploadUnknown):
        services.run(services.uploads.session(REPOSITORY, upload_id))


def test_a_session_survives_a_restart(tmp_path: Path) -> None:
    """The next process knows its size and opener, and the blob's digest covers what came before."""
    with open_services(tmp_path) as before:
        upload_id = begun(before, b"before ").id
    with open_services(tmp_path) as after:
        session = after.run(after.uploads.session(REPOSITORY, upload_id))
        assert (session.size, session.principal_id) == (7, PUSHER.id)
        blob = after.run(after.uploads.finish(session, Digest.of(b"before after"), pieces(b"after"), 7, 5))
        assert blob.size == 12


@pytest.mark.parametrize("size", [3, 100_000])
def test_a_last_body_that_breaks_off_is_taken_back(tmp_path: Path, size: int) -> None:
    """The session is as it was before it, also for the next process: the same request may come again."""
    whole = b"ab" + bytes(size)
    with open_services(tmp_path) as before:
        session = begun(before, b"ab")
        with pytest.raises(ConnectionResetError):
            before.run(before.uploads.finish(session, Digest.of(whole), cut_off(bytes(size - 1)), None, size))
        assert session.size == 2
    with open_services(tmp_path) as after:
        resumed = after.run(after.uploads.session(REPOSITORY, session.id))
        assert after.run(after.uploads.finish(resumed, Digest.of(whole), pieces(bytes(size)), None, size)).size == len(
            whole
        )


@pytest.mark.parametrize("size", [3, 100_000])
def test_an_only_body_that_breaks_off_is_taken_back(services: OpenServices, size: int) -> None:
    """A whole blob in one PUT can be sent again to the session that was opened for it."""
    session = begun(services)
    with pytest.raises(ConnectionResetError):
        services.run(services.uploads.finish(session, Digest.of(bytes(size)), cut_off(bytes(size - 1)), None, size))
    again = services.uploads.finish(session, Digest.of(bytes(size)), pieces(bytes(size)), None, size)
    assert services.run(again).size == size


def test_nothing_stays_of_a_blob_whose_only_request_breaks_off(services: OpenServices) -> None:
    """Nobody knows of its session."""
    with pytest.raises(ConnectionResetError):
        services.run(
            services.uploads.take_whole(REPOSITORY, PUSHER, Digest.of(b"abcd"), cut_off(b"abc"), None, None),
        )
    assert services.run(services.uploads.expire(time.time() + 1e9)) == 0


def test_a_principal_has_so_many_uploads_open(services: OpenServices) -> None:
    """One more is refused until one is over; others have their own."""
    services.configure(uploads={"sessions_per_principal": 2})
    first, _ = begun(services), begun(services)
    with pytest.raises(Unavailable) as caught:
        begun(services)
    assert caught.value.headers["Retry-After"]
    services.run(services.uploads.cancel(first))
    assert begun(services)


def test_uploads_of_an_earlier_process_count(tmp_path: Path) -> None:
    """They are found beside those that are too old."""
    with open_services(tmp_path) as before:
        begun(before, b"x")
    with open_services(tmp_path) as after:
        after.configure(uploads={"sessions_per_principal": 1})
        after.run(after.uploads.expire(time.time()))
        with pytest.raises(Unavailable):
            begun(after)


def test_a_whole_blob_in_one_request_needs_no_folder(services: OpenServices) -> None:
    """Its bytes grow in one file in incoming/, and nothing is left of that."""
    seen: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1_000_000
            await asyncio.sleep(0.001)
        seen.append(len(list((services.data / "incoming").iterdir())))
        seen.append(len(list((services.data / "uploads").iterdir())))

    services.run(services.uploads.finish(begun(services), Digest.of(b"x" * 3_000_000), body(), None, None))
    assert seen == [1, 0]
    assert list((services.data / "incoming").iterdir()) == []


def test_what_a_killed_process_was_receiving_expires(services: OpenServices) -> None:
    """Bytes of a PUT that never ended lie in incoming/; they count from the last of them."""
    left = services.data / "incoming" / str(uuid.uuid4())
    left.write_bytes(b"half of a blob")
    limit = services.settings.current.uploads.expire_seconds
    assert services.run(services.uploads.expire(time.time() + limit - 60)) == 0
    assert services.run(services.uploads.expire(time.time() + limit + 60)) == 1
    assert not left.exists()


def test_abandoned_sessions_expire(services: OpenServices) -> None:
    """Those without a byte for too long go, others stay."""
    session = begun(services, b"x")
    limit = services.settings.current.uploads.expire_seconds
    assert services.run(services.uploads.expire(time.time() + limit - 60)) == 0
    assert services.run(services.uploads.expire(time.time() + limit + 60)) == 1
    with pytest.raises(BlobUploadUnknown):
        services.run(services.uploads.append(session, pieces(b"y"), None, None))
    assert list((services.data / "uploads").iterdir()) == []


def test_what_is_left_of_a_broken_session_expires(services: OpenServices) -> None:
    """A folder without its session file is removed as well."""
    session = begun(services, b"x")
    (services.data / "uploads" / session.id / "session.json").unlink()
    limit = services.settings.current.uploads.expire_seconds
    with open_services(services.data) as later:
        assert later.run(later.uploads.expire(time.time() + limit + 60)) == 1
    assert list((services.data / "uploads").iterdir()) == []


def test_a_session_that_another_process_removed_is_unknown(services: OpenServices) -> None:
    """Expired by a command beside the server, it takes no more bytes."""
    session = begun(services, b"x")
    with open_services(services.data) as beside:
        beside.run(beside.uploads.expire(time.time() + 10**9))
    with pytest.raises(BlobUploadUnknown):
        services.run(services.uploads.append(session, pieces(b"y"), None, None))


def test_a_small_body_that_does_not_end_is_not_collected(services: OpenServices) -> None:
    """A chunked body may say in its Content-Range that it is small: the first byte too many ends it."""
    came: list[bytes] = []

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            came.append(b"x" * 1000)
            yield came[-1]

    session = services.run(services.uploads.start(REPOSITORY, PUSHER))
    with pytest.raises(SizeInvalid):
        services.run(services.uploads.finish(session, Digest.of(b"x"), endless(), 0, 1))
    assert len(came) == 1
    assert session.size == 0
