"""Registries that lie, cut, stall, drip, lead elsewhere, or want to be left alone."""

import os
import socket
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest

from registry.oci.digest import Digest
from registry.oci.names import Tag
from registry.registry_client.errors import Throttled, Unreachable, Unusable
from tests.conftest import missing
from tests.hostile_server import STALL, Heard, answer, hostile
from tests.registry.registry_client.clients import APP, blob_of, with_client

LAYER = os.urandom(1 << 20)
DIGEST = Digest.of(LAYER)
SIZE = len(LAYER)
V1 = Tag("v1")


def resolved(host: str, **limits: Any) -> Digest:
    """What the tag v1 is there."""
    return with_client(host, lambda client: client.pull.resolve(APP, V1), **limits)


def fetched(host: str, **limits: Any) -> bytes:
    """The manifest of the tag v1."""
    return with_client(host, lambda client: client.pull.manifest(APP, V1), **limits).raw


def as_they_are(pieces: Iterable[bytes], _heard: Heard) -> Iterable[bytes]:
    """The same answer to everything."""
    return pieces


def start_of(heard: Heard) -> int:
    """Where the part begins that a request asks for."""
    return int(heard.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))


def test_a_blob_that_is_cut_is_gone_on_with() -> None:
    """A connection that breaks after a part is followed by a request for the rest, not for the whole."""
    starts: list[int] = []

    def answers(heard: Heard) -> Iterable[bytes]:
        starts.append(start_of(heard))
        rest = LAYER[starts[-1] :]
        status = "206 Partial Content" if starts[-1] else "200 OK"
        whole = answer(status, rest, Content_Range=f"bytes {starts[-1]}-{SIZE - 1}/{SIZE}")
        return [whole[: len(whole) - len(rest) + 300_000]]

    with hostile(answers) as server:
        assert blob_of(server.host, DIGEST, SIZE) == LAYER
    assert starts == [0, 300_000, 600_000, 900_000]


def test_a_registry_without_ranges() -> None:
    """Where the whole comes again instead of the rest, what is known of it is passed over."""
    with hostile(lambda _: [answer("200 OK", LAYER)]) as server:
        assert blob_of(server.host, DIGEST, SIZE, 700_000) == LAYER[700_000:]


def test_a_blob_that_is_always_cut() -> None:
    """Without a byte between, some attempts are enough."""
    with hostile(lambda _: [answer("200 OK", LAYER)[:100]]) as server:
        with pytest.raises(Unreachable, match="broke the connection off"):
            blob_of(server.host, DIGEST, SIZE)
        assert len(server.heard) == 3


def test_a_stall_ends() -> None:
    """A registry that falls silent, in the head or in the middle of a body, is given up."""
    for begun in ([STALL], [answer("200 OK", LAYER)[:5000], STALL]):
        with hostile(partial(as_they_are, begun)) as server, pytest.raises(Unreachable, match="silent for"):
            blob_of(server.host, DIGEST, SIZE, attempts=1, silence_seconds=0.5)


def test_dripping_ends() -> None:
    """A registry that sends a byte now and then, so as never to be silent, is too slow."""

    def drips(_: Heard) -> Iterable[bytes]:
        yield answer("200 OK", LAYER)[:-SIZE]
        for at in range(100):
            time.sleep(0.05)  # as a slow line does
            yield LAYER[at : at + 1]

    with hostile(drips) as server, pytest.raises(Unreachable, match="too slow"):
        blob_of(server.host, DIGEST, SIZE, attempts=1, least_rate=1000, silence_seconds=0.3)


@pytest.mark.parametrize("extra", [1, 100 << 30])
def test_a_blob_that_is_too_large(extra: int) -> None:
    """A length beyond that of the manifest is refused at once, however large it is."""
    with hostile(lambda _: [answer("200 OK", LAYER, Content_Length=str(SIZE + extra))]) as server:
        with pytest.raises(Unusable, match="the manifest says"):
            blob_of(server.host, DIGEST, SIZE)
        assert len(server.heard) == 1


def test_a_blob_without_end() -> None:
    """A body without a length is given up with the first byte too many."""

    def endless(_: Heard) -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + bytes(65536) + b"\r\n"

    with hostile(endless) as server, pytest.raises(Unusable, match="the manifest says"):
        blob_of(server.host, DIGEST, SIZE)


def test_a_part_of_something_else() -> None:
    """A part that is not the one that was asked for is not taken for it."""
    rest = LAYER[500_000:]
    wrong = answer("206 Partial Content", rest, Content_Range=f"bytes 400000-{SIZE - 1}/{SIZE}")
    with hostile(lambda _: [wrong]) as server, pytest.raises(Unusable, match="the part"):
        blob_of(server.host, DIGEST, SIZE, 500_000)


def test_a_blob_in_another_coding() -> None:
    """Content that was compressed on the way is not what its digest names."""
    with (
        hostile(lambda _: [answer("200 OK", LAYER, Content_Encoding="gzip")]) as server,
        pytest.raises(Unusable, match="re-encoded"),
    ):
        blob_of(server.host, DIGEST, SIZE)


def test_a_manifest_with_another_digest() -> None:
    """Bytes that do not have the digest that was announced, or asked for, are refused."""
    with (
        hostile(lambda _: [answer("200 OK", b"{}", Docker_Content_Digest=DIGEST)]) as server,
        pytest.raises(Unusable, match="announced"),
    ):
        fetched(server.host)
    with hostile(lambda _: [answer("200 OK", b"{}")]) as server, pytest.raises(Unusable, match="announced"):
        with_client(server.host, lambda client: client.pull.manifest(APP, DIGEST))


def test_a_digest_that_is_none() -> None:
    """What is no digest is not handed on as one."""
    with (
        hostile(lambda _: [answer("200 OK", Docker_Content_Digest="sha256:../../x")]) as server,
        pytest.raises(Unusable, match="names a digest that is none"),
    ):
        resolved(server.host)


def test_a_manifest_that_is_too_large() -> None:
    """Reading stops at the limit."""
    with hostile(lambda _: [answer("200 OK", bytes(1 << 20))]) as server, pytest.raises(Unusable, match="more than"):
        fetched(server.host, manifest_bytes=1 << 16)


def test_a_small_answer_has_its_time() -> None:
    """A manifest that drips is given up as a whole."""

    def drips(_: Heard) -> Iterable[bytes]:
        yield answer("200 OK", bytes(1000))[:-1000]
        for _number in range(100):
            time.sleep(0.05)  # as a slow line does
            yield b" "

    with hostile(drips) as server, pytest.raises(Unreachable, match="no whole answer"):
        fetched(server.host, answer_seconds=1)


@pytest.mark.parametrize(("told", "seconds"), [("7", 7.0), ("soon", None), ("999999999", 86400.0)])
def test_too_many_requests(told: str, seconds: float | None) -> None:
    """429 says how long to stay away, where the registry does."""
    with (
        hostile(lambda _: [answer("429 Too Many Requests", Retry_After=told)]) as server,
        pytest.raises(Throttled) as raised,
    ):
        resolved(server.host)
    assert raised.value.retry_after == seconds


def test_a_failing_registry() -> None:
    """What it says of itself reaches a person, without what a terminal would act on."""
    body = b'{"errors": [{"code": "UNKNOWN", "message": "the \\u001b[31mdisk is full"}]}'
    with (
        hostile(lambda _: [answer("503 Service Unavailable", body)]) as server,
        pytest.raises(Unreachable, match=r"try again\. It says: the  \[31mdisk is full"),
    ):
        fetched(server.host)


def test_what_does_not_speak_http() -> None:
    """Anything else on the port is told as that."""
    with hostile(lambda _: [b"220 mail.example ESMTP\r\n"]) as server, pytest.raises(Unreachable, match="broke"):
        fetched(server.host)


def test_nobody_there() -> None:
    """A port without a server is not reached."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        host = f"127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(Unreachable, match="is it up"):
        fetched(host)


def test_a_redirection_without_end() -> None:
    """A registry that leads on for ever is left."""
    with (
        hostile(lambda heard: [answer("307 Temporary Redirect", Location=heard.path)]) as server,
        pytest.raises(Unusable, match="no end"),
    ):
        blob_of(server.host, DIGEST, SIZE)


def own_address() -> str:
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            missing("this machine has no address but loopback")
        return str(probe.getsockname()[0])


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/x", "http://169.254.169.254/latest/", "http://[::1]:1/"])
def test_a_redirection_further_inside(target: str) -> None:
    """A registry elsewhere cannot have this machine ask its own services, or those of its cloud."""
    with hostile(lambda _: [answer("307 Temporary Redirect", Location=target)], own_address()) as server:
        with pytest.raises(Unusable, match="was not followed"):
            with_client(server.host, lambda client: client.pull.resolve(APP, V1), plain_http=True)
        assert len(server.heard) == 1


def test_a_token_service_further_inside() -> None:
    """Nor can it do so with the address of its token service."""
    challenge = 'Bearer realm="http://127.0.0.1:1/token"'
    with (
        hostile(lambda _: [answer("401 Unauthorized", WWW_Authenticate=challenge)], own_address()) as server,
        pytest.raises(Unusable, match="was not followed"),
    ):
        with_client(server.host, lambda client: client.pull.resolve(APP, V1), ("alice", "s"), plain_http=True)


def test_a_redirection_to_something_else_than_https() -> None:
    """Other schemes are not followed."""
    with (
        hostile(lambda _: [answer("307 Temporary Redirect", Location="file:///etc/passwd")]) as server,
        pytest.raises(Unusable, match="only https"),
    ):
        resolved(server.host)
