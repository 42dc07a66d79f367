"""What the gate hears of an upload, and requests that write to one session at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from registry.content.uploads import UploadSession
from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown, DigestInvalid, SizeInvalid
from tests.registry.gates import GateOfTests
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices, open_services, pieces

DIGEST = Digest.of(b"content")


@pytest.fixture
def gate() -> GateOfTests:
    """A gate that follows uploads."""
    return GateOfTests()


@pytest.fixture
def followed(tmp_path: Path, gate: GateOfTests) -> Iterator[OpenServices]:
    """The services before that gate."""
    with open_services(tmp_path, gate) as opened:
        yield opened


def test_the_gate_hears_of_bytes_and_of_the_blob(followed: OpenServices, gate: GateOfTests) -> None:
    """First how far the bytes are, at last that they are a blob."""
    session = followed.run(followed.uploads.start(REPOSITORY, PUSHER))
    followed.run(followed.uploads.append(session, pieces(b"content"), None, None))
    followed.run(followed.uploads.finish(session, DIGEST, pieces(), None, 0))
    assert gate.followers[0].told == [("wrote", 7), ("committed", (DIGEST, 7))]


def test_a_gate_that_wants_no_more_hears_of_the_end_only(followed: OpenServices, gate: GateOfTests) -> None:
    """Bytes that are no layer are not announced any further; that they became a blob is."""
    session = followed.run(followed.uploads.start(REPOSITORY, PUSHER))
    followed.run(followed.uploads.append(session, pieces(b"con"), None, None))
    gate.followers[0].curious = False
    followed.run(followed.uploads.append(session, pieces(b"te"), None, None))
    followed.run(followed.uploads.finish(session, DIGEST, pieces(b"nt"), None, None))
    assert gate.followers[0].told == [("wrote", 3), ("wrote", 5), ("committed", (DIGEST, 7))]


def test_the_gate_need_not_follow_a_small_blob(followed: OpenServices, gate: GateOfTests) -> None:
    """Whole in one request it goes to the store at once: nobody has to read it while it arrives."""
    followed.run(followed.push_blob(b"content"))
    assert gate.followers == []


def test_the_gate_can_read_what_it_was_told_of(followed: OpenServices, gate: GateOfTests) -> None:
    """What is staged holds the announced bytes."""
    session = followed.run(followed.uploads.start(REPOSITORY, PUSHER))
    followed.run(followed.uploads.append(session, pieces(b"con"), None, None))
    assert gate.followers[0].staging.read_at(0, 10) == b"con"


@pytest.mark.parametrize("end", ["cancel", "wrong digest"])
def test_the_gate_hears_that_an_upload_came_to_nothing(followed: OpenServices, gate: GateOfTests, end: str) -> None:
    """Cancelled or of a wrong digest, it is aborted."""
    session = followed.run(followed.uploads.start(REPOSITORY, PUSHER))
    followed.run(followed.uploads.append(session, pieces(b"x"), None, None))
    if end == "cancel":
        followed.run(followed.uploads.cancel(session))
    else:
        with pytest.raises(DigestInvalid):
            followed.run(followed.uploads.finish(session, DIGEST, pieces(b"x"), None, None))
    assert gate.followers[0].told[-1] == ("aborted", None)


def test_the_gate_stops_following_when_bytes_are_taken_back(followed: OpenServices, gate: GateOfTests) -> None:
    """It was promised that they stay, so it hears of an abort; the upload itself goes on."""
    session = followed.run(followed.uploads.start(REPOSITORY, PUSHER))
    with pytest.raises(SizeInvalid):
        followed.run(followed.uploads.append(session, pieces(b"con"), 0, 5))
    followed.run(followed.uploads.finish(session, DIGEST, pieces(b"content"), 0, 7))
    assert gate.followers[0].told == [("wrote", 3), ("aborted", None)]


def test_a_sink_takes_bytes_from_a_worker_thread(followed: OpenServices, gate: GateOfTests) -> None:
    """What a thread wrote is announced to the gate in the loop, all of it at the end, and counts."""

    async def scenario() -> None:
        session = await followed.uploads.start(REPOSITORY, PUSHER)
        async with followed.uploads.appending(session, 0, 7) as sink:
            await asyncio.to_thread(sink.write, memoryview(b"con"))
            await asyncio.to_thread(sink.write, b"tent")
            sink.report()
        await followed.uploads.finish(session, DIGEST, pieces(), None, 0)

    followed.run(scenario())
    assert gate.followers[0].told == [("wrote", 7), ("committed", (DIGEST, 7))]


def test_a_sink_refuses_more_than_was_announced(followed: OpenServices) -> None:
    """The excess is not written, and nothing of the request counts."""

    async def scenario() -> None:
        session = await followed.uploads.start(REPOSITORY, PUSHER)
        sessions.append(session)
        async with followed.uploads.appending(session, 0, 3) as sink:
            await asyncio.to_thread(sink.write, b"con")
            await asyncio.to_thread(sink.write, b"tent")

    sessions: list[UploadSession] = []
    with pytest.raises(SizeInvalid):
        followed.run(scenario())
    assert sessions[0].size == 0


async def slowly(*contents: bytes) -> AsyncIterator[bytes]:
    """A body that lets others run between its pieces."""
    for content in contents:
        await asyncio.sleep(0.001)
        yield content


def test_two_requests_write_one_after_the_other(followed: OpenServices) -> None:
    """Their bytes do not mix."""

    async def scenario() -> bytes:
        session = await followed.uploads.start(REPOSITORY, PUSHER)
        bodies = (slowly(*[b"a"] * 50), slowly(*[b"b"] * 50))
        await asyncio.gather(*(followed.uploads.append(session, body, None, None) for body in bodies))
        return session.staging.read_at(0, 1000)

    assert followed.run(scenario()) in {b"a" * 50 + b"b" * 50, b"b" * 50 + b"a" * 50}


def test_of_two_equal_finishes_both_are_told_of_the_blob(followed: OpenServices) -> None:
    """A client that has not heard of the first makes its request again."""

    async def scenario() -> list[Digest]:
        session = await followed.uploads.start(REPOSITORY, PUSHER)
        await followed.uploads.append(session, pieces(b"content"), None, None)
        finishes = [followed.uploads.finish(session, DIGEST, pieces(), None, 0) for _ in range(2)]
        return [blob.digest for blob in await asyncio.gather(*finishes)]

    assert followed.run(scenario()) == [DIGEST, DIGEST]


def test_of_two_different_finishes_one_succeeds(followed: OpenServices) -> None:
    """The other finds the session over."""

    async def scenario() -> object:
        session = await followed.uploads.start(REPOSITORY, PUSHER)
        await followed.uploads.append(session, pieces(b"content"), None, None)
        digests = (DIGEST, Digest.of(b"other"))
        finishes = [followed.uploads.finish(session, digest, pieces(), None, 0) for digest in digests]
        return (await asyncio.gather(*finishes, return_exceptions=True))[1]

    assert isinstance(followed.run(scenario()), BlobUploadUnknown)
