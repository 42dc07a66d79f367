"""The connection to a sink: kept between deliveries, given up when it does not serve, and held to its address."""

import asyncio
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_server, socket

import pytest

from registry.notifications.formats import Payload
from registry.notifications.outcome import Outcome
from registry.notifications.post import connection_to, deliver
from registry.notifications.sink import Sink
from tests.bench.keys import Keys, make_keys
from tests.registry.notifications.receiver import receiving

END = b"\r\n\r\n"
DONE = b"HTTP/1.1 204 No Content" + END


@dataclass(slots=True)
class Scripted:
    """A receiver that answers each request by script.

    Attributes:
        url: its address.
        heads: of all requests.
        connections: how many it has taken.
    """

    url: str = ""
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0


@contextmanager
def scripted(*connections: Sequence[bytes], keys: Keys | None = None) -> Iterator[Scripted]:
    """Takes so many connections, gives each request on one the next answer, and closes it behind the last."""
    seen = Scripted()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if keys is not None:
        context.load_cert_chain(keys.certificate, keys.key)

    def work() -> None:
        for answers in connections:
            accepted, _ = server.accept()
            seen.connections += 1
            with (
                suppress(OSError),
                accepted if keys is None else context.wrap_socket(accepted, server_side=True) as wire,
            ):
                for answer in answers:
                    seen.heads.append(request_from(wire))
                    wire.sendall(answer)

    with create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        seen.url = f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        thread = threading.Thread(target=work)
        thread.start()
        yield seen
        thread.join()


def request_from(accepted: socket) -> bytes:
    """The head of a request; its body is `{}`."""
    received = b""
    while not received.endswith(END + b"{}"):
        part = accepted.recv(4096)
        assert part, received
        received += part
    return received


def outcomes(url: str, count: int, **settings: object) -> list[Outcome]:
    """What became of so many deliveries, one after the other, a moment apart."""
    sink = Sink("ci", url, "cloudevents", **{"local": True, "timeout": 5.0, **settings})  # type: ignore[arg-type]

    async def work() -> list[Outcome]:
        found = []
        with connection_to(sink) as connection:
            for number in range(count):
                found.append(await deliver(connection, sink, Payload(f"{number}", "application/json", b"{}")))
                await asyncio.sleep(0.05)
        return found

    return asyncio.run(work())


@pytest.mark.parametrize(
    "answer", [DONE, b"HTTP/1.1 200 OK\r\nContent-Length: 3" + END + b"yes", b"HTTP/1.1 103 Early Hints" + END + DONE]
)
def test_a_connection_is_used_again(answer: bytes) -> None:
    """For as long as both ends keep to what was agreed."""
    with scripted([answer] * 3) as receiver:
        assert all(not each.problem for each in outcomes(receiver.url, 3))
    assert (receiver.connections, len(receiver.heads)) == (1, 3)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + END + b"3\r\nyes\r\n0" + END,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0" + END,
        b"HTTP/1.0 200 OK\r\nContent-Length: 0" + END,
        b"HTTP/1.1 200 OK\nContent-Length: 99999999\n\n",
        DONE + b"and something that nobody has asked for",
        DONE,
    ],
)
def test_a_connection_that_does_not_serve_again_is_given_up(answer: bytes) -> None:
    """The next delivery opens another; nothing is told to have failed."""
    with scripted([answer], [answer]) as receiver:
        assert [each.status // 100 for each in outcomes(receiver.url, 2)] == [2, 2]
    assert len(receiver.heads) == 2


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 99999]
)
def test_what_is_no_answer_is_a_failed_try(answer: bytes) -> None:
    """With what went wrong."""
    with scripted([answer]) as receiver:
        (outcome,) = outcomes(receiver.url, 1)
    assert (outcome.status, outcome.problem.startswith("127.0.0.1:")) == (0, True)


def test_whoever_never_answers_is_not_waited_for() -> None:
    """Longer than a step may take."""
    with create_server(("127.0.0.1", 0)) as server:
        (outcome,) = outcomes(f"http://127.0.0.1:{server.getsockname()[1]}/", 1, timeout=0.2)
    assert (outcome.status, outcome.problem != "") == (0, True)


@pytest.mark.parametrize(("host", "is_trusted"), [("localhost", True), ("localhost", False), ("127.0.0.1", True)])
def test_a_certificate_is_looked_at(tmp_path: Path, host: str, is_trusted: bool) -> None:
    """It is of an authority that is trusted, and for this host: otherwise nothing is sent."""
    keys = make_keys(tmp_path)
    with scripted([DONE] * 2, keys=keys) as receiver:
        url = receiver.url.replace("http://127.0.0.1", f"https://{host}")
        found = outcomes(url, 2 if is_trusted and host == "localhost" else 1, ca_files=(keys.certificate,) * is_trusted)
    fits = is_trusted and host == "localhost"
    assert [each.status for each in found] == ([204, 204] if fits else [0])
    assert fits or "certificate" in found[0].problem.lower()
    assert len(receiver.heads) == (2 if fits else 0)


def test_what_an_address_says_is_sent() -> None:
    """Path and query as they are, with what HTTP cannot carry encoded; credentials as a header field."""
    with receiving() as receiver:
        url = receiver.url.replace("//", "//us%40er:pass@") + "/ä b?c=%20d&e=f/g"
        assert not outcomes(url, 1)[0].problem
    (request,) = receiver.taken
    assert request.path == "/hook/%C3%A4%20b?c=%20d&e=f/g"
    assert request.headers["authorization"] == "Basic dXNAZXI6cGFzcw=="
    assert request.headers["host"] == receiver.url.split("/")[2]


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\x00", "ä"])
def test_a_header_field_stays_one(value: str) -> None:
    """What would be another, or none, is not sent at all."""
    with receiving() as receiver:
        (outcome,) = outcomes(receiver.url, 1, headers=(("X-Own", value),))
    assert ("cannot be told" in outcome.problem, receiver.tried) == (True, [])
