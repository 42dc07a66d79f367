"""The table of a connection's states (ADR 31), over HTTP and TLS, fast and plain: none of them lasts for ever."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry.http.connection_states import State
from registry.oci.digest import Digest
from tests.registry.server.lines import WAYS, Lines, lines, until_end

ADR = Path(__file__).parents[3] / "docs" / "adr" / "0031-every-state-of-a-connection-has-an-end.md"
END = b"Connection: close\r\n\r\n"
WRONG = b"Authorization: Basic YTpi\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
QUICK = {
    "keep_alive_seconds": 1,
    "head_seconds": 1.5,
    "stall_seconds": 1.5,
    "body_rate_seconds": 3.0,
    "body_rate": 100,
}


@pytest.fixture(scope="module", params=WAYS)
def patient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    """A server with the limits that it has by default."""
    with lines(tmp_path_factory.mktemp("patient"), request.param) as started:
        yield started


@pytest.fixture(scope="module", params=WAYS)
def impatient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    """A server whose limits are short."""
    with lines(tmp_path_factory.mktemp("impatient"), request.param, **QUICK) as started:
        yield started


def begun(server: Lines) -> bytes:
    """The path of a new upload."""
    with server.line() as line:
        head = b"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
        line.sendall(head + server.authorization + b"\r\n" + END)
        fields = until_end(line).split(b"\r\n")
    return next(field[10:] for field in fields if field.lower().startswith(b"location: "))


def patch(server: Lines, length: int) -> bytes:
    """The head of a chunk."""
    head = b"PATCH %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n" % (begun(server), length)
    return head + server.authorization + b"\r\n\r\n"


def unwanted(length: int, wrong: bytes = WRONG) -> bytes:
    """The head of a request that is answered 401, after a while."""
    return b"PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n" % length + wrong + b"\r\n"


@pytest.mark.parametrize("size", [300_000, 700_000, 1 << 20])
def test_a_body_that_nobody_wanted_is_dropped(patient: Lines, size: int) -> None:
    """FULL, then DROPPING: the request is answered after enough of its body has come; the next one is served."""
    with patient.line() as line:
        line.sendall(unwanted(size) + os.urandom(size))
        assert line.recv(12) == b"HTTP/1.1 401"
        line.sendall(HEALTH + END)
        assert b"HTTP/1.1 200 OK" in until_end(line)


@pytest.mark.parametrize("size", [300_000, 700_000, 1 << 20])
def test_a_body_that_comes_after_its_answer_is_dropped(patient: Lines, size: int) -> None:
    """DROPPING from the first byte on."""
    with patient.line() as line:
        line.sendall(unwanted(size, b""))
        assert line.recv(12) == b"HTTP/1.1 401"
        line.sendall(os.urandom(size) + HEALTH + END)
        assert b"HTTP/1.1 200 OK" in until_end(line)


def test_a_body_is_taken_as_it_comes(patient: Lines) -> None:
    """OFFERED, WRITING, RECEIVING, or ASKED and FULL: more than waits anywhere, in two parts."""
    with patient.line() as line:
        half = os.urandom(3 << 20)
        line.sendall(patch(patient, 2 * len(half)) + half)
        time.sleep(0.1)  # whoever receives has nothing to do for a moment
        line.sendall(half + HEALTH + END)
        said = until_end(line)
    assert b"HTTP/1.1 202 Accepted" in said
    assert b"HTTP/1.1 200 OK" in said


def test_requests_in_a_row_are_all_answered(patient: Lines) -> None:
    """CROWDED: many more than may wait stand behind one that takes a while."""
    many = 4000
    with patient.line() as line:
        line.sendall(unwanted(0) + HEALTH.join([b""] * (many + 1)).replace(HEALTH, HEALTH + b"\r\n") + HEALTH + END)
        assert until_end(line).count(b"HTTP/1.1 200 OK") == many + 1


def test_answers_that_are_taken_late_all_come(patient: Lines) -> None:
    """HELD_BACK: no request is begun while the client takes no answers; when it does, all of them are."""
    many = 4000
    ask = HEALTH + patient.authorization + b"\r\n"
    last = ask + END
    ask += b"\r\n"
    with patient.line(room=4096) as line:
        line.setblocking(False)
        asked = ask * many + last
        sent = _send_what_goes(line, asked)
        line.settimeout(20)
        said = _finish(line, asked[sent:])
    assert said.count(b"HTTP/1.1 200 OK") == many + 1


def _send_what_goes(line: socket.socket, data: bytes) -> int:
    sent = 0
    for _ in range(20):
        try:
            sent += line.send(data[sent : sent + 65536])
        except (BlockingIOError, OSError):
            time.sleep(0.01)
    return sent


def _finish(line: socket.socket, rest: bytes) -> bytes:
    said = b""
    while rest:
        rest = rest[line.send(rest[:16384]) :]
        said += line.recv(1 << 16)
    return said + until_end(line)


Silence = Callable[[Lines, socket.socket], bytes]


def says_nothing(_server: Lines, line: socket.socket) -> bytes:
    """No byte of a request."""
    return until_end(line)


def says_empty_lines(_server: Lines, line: socket.socket) -> bytes:
    """What is no byte of a request either, again and again."""
    return _dripped(line, b"\r\n")


def drips_a_head(_server: Lines, line: socket.socket) -> bytes:
    """A head that never ends."""
    line.sendall(HEALTH + b"A: ")
    return _dripped(line, b"a")


def stops_in_a_body(server: Lines, line: socket.socket) -> bytes:
    """Half a body, and nothing more."""
    line.sendall(patch(server, 4_000_000) + os.urandom(2_000_000))
    return until_end(line)


def drips_a_body(server: Lines, line: socket.socket) -> bytes:
    """Too few bytes, but some."""
    line.sendall(patch(server, 1_000_000))
    return _dripped(line, b"a")


def stops_in_an_unwanted_body(_server: Lines, line: socket.socket) -> bytes:
    """Of a request that has its answer."""
    line.sendall(unwanted(500_000, b"") + bytes(1000))
    return until_end(line)


def drips_an_unwanted_body(_server: Lines, line: socket.socket) -> bytes:
    """Of a request that has its answer."""
    line.sendall(unwanted(500_000, b""))
    return _dripped(line, b"a")


def stays_after_a_refusal(_server: Lines, line: socket.socket) -> bytes:
    """And goes on sending."""
    line.sendall(b"GET / HTTP/7\r\n\r\n")
    return _dripped(line, b"a" * 1000)


def _dripped(line: socket.socket, drop: bytes) -> bytes:
    said = b""
    line.settimeout(0.2)
    for _ in range(60):
        try:
            line.sendall(drop)
            data = line.recv(1 << 16)
        except TimeoutError:
            continue
        except OSError:
            return said
        if not data:
            return said
        said += data
    raise AssertionError("the connection goes on")


ENDED: list[tuple[State, Silence, bytes]] = [
    (State.IDLE, says_nothing, b""),
    (State.IDLE, says_empty_lines, b""),
    (State.HEAD, drips_a_head, b"HTTP/1.1 408"),
    (State.RECEIVING, stops_in_a_body, b"HTTP/1.1 408"),
    (State.RECEIVING, drips_a_body, b"HTTP/1.1 408"),
    (State.DROPPING, stops_in_an_unwanted_body, b"HTTP/1.1 401"),
    (State.DROPPING, drips_an_unwanted_body, b"HTTP/1.1 401"),
    (State.CLOSING, stays_after_a_refusal, b"HTTP/1.1 505"),
]


@pytest.mark.parametrize(("_state", "silence", "word"), ENDED, ids=[each[1].__name__ for each in ENDED])
def test_a_client_that_does_not_go_on_is_sent_away(
    impatient: Lines, _state: State, silence: Silence, word: bytes
) -> None:
    """With the reason, where it can still be told."""
    with impatient.line() as line:
        said = silence(impatient, line)
    assert said.startswith(word)
    assert said.count(b"HTTP/1.1 ") == (1 if word else 0)


def test_a_client_that_takes_no_answers_is_sent_away(impatient: Lines) -> None:
    """SERVING, CROWDED and HELD_BACK: what it asked for waits only so long."""
    ask = b"GET /v2/_catalog HTTP/1.1\r\nHost: a\r\n" + impatient.authorization + b"\r\n\r\n"
    with impatient.line(room=4096) as line:
        line.setblocking(False)
        _send_what_goes(line, ask * 20_000)
        deadline = time.monotonic() + 60
        while impatient.live.connections() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not impatient.live.connections()


@pytest.fixture(scope="module", params=WAYS)
def demanding(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    """A server that wants its answers to be taken, faster than anybody reads a little now and then."""
    limits = {"taking_rate": 1 << 20, "taking_rate_seconds": 3.0}
    with lines(tmp_path_factory.mktemp("demanding"), request.param, **limits) as started:
        yield started


def asked_for_a_blob(server: Lines, content: bytes) -> bytes:
    """Push a blob; the request for it."""
    target = b"/v2/a/blobs/" + Digest.of(content).encode()
    with server.line() as line:
        head = b"POST /v2/a/blobs/uploads/?digest=%b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n"
        line.sendall(
            head % (Digest.of(content).encode(), len(content)) + server.authorization + b"\r\n" + END + content
        )
        assert until_end(line).startswith(b"HTTP/1.1 201")
    return b"GET %b HTTP/1.1\r\nHost: a\r\n" % target + server.authorization + b"\r\n" + END


@pytest.mark.parametrize("times", [1, 4], ids=["from the application", "remembered"])
def test_a_client_that_takes_an_answer_too_slowly_is_sent_away(demanding: Lines, times: int) -> None:
    """SERVING: a few bytes at a time keep no connection; who takes it as it comes gets it whole."""
    ask = asked_for_a_blob(demanding, bytes(12 << 20))
    for _ in range(times):
        with demanding.line() as line:
            line.sendall(ask)
            assert until_end(line).endswith(bytes(1 << 20))
    with demanding.line(room=4096) as line:
        line.sendall(ask)
        deadline = time.monotonic() + 60
        while demanding.live.connections() and time.monotonic() < deadline:
            line.recv(1000)
            time.sleep(0.05)
        assert not demanding.live.connections()


@pytest.mark.parametrize("state", State)
def test_every_state_is_in_the_table(state: State) -> None:
    """With whether the socket is read, as the code says it."""
    row = next(line for line in ADR.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {state.name} "))
    assert row.split("|")[3].strip() == ("yes" if state.reads else "no")
    assert row.split("|")[4].strip()
    assert row.split("|")[5].strip()
