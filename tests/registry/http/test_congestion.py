"""Peers on the same machine are sent to without pacing; others as the machine is set up."""

import socket
from collections.abc import Iterator

import pytest

from registry.http.congestion import send_at_once


@pytest.fixture
def accepted() -> Iterator[socket.socket]:
    """The server's end of a connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        yield accepted


def control(connected: socket.socket) -> bytes:
    """The congestion control of a socket."""
    return connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")


def test_a_peer_with_the_same_address_is_not_paced(accepted: socket.socket) -> None:
    """Both ends are on this machine."""
    send_at_once(accepted, accepted.getpeername()[0], accepted.getsockname()[0])
    assert control(accepted) == b"reno"


def test_another_peer_is_sent_to_as_ever(accepted: socket.socket) -> None:
    """What its way is like is not known here."""
    before = control(accepted)
    send_at_once(accepted, "192.0.2.1", "127.0.0.1")
    assert control(accepted) == before


def test_a_socket_without_such_a_choice_is_left_alone() -> None:
    """An error must not cost the connection."""
    one, other = socket.socketpair()
    with one, other:
        send_at_once(one, "", "")
