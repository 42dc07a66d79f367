"""What a worker announces costs the server nothing until it comes."""

import socket
import struct
import tracemalloc

import pytest

from policy.inspection.worker.messages import ConnectionLost, receive_bytes, send_bytes


def test_an_announced_gibibyte_is_not_allocated() -> None:
    """The worker dies behind its announcement: some MiB at most were made room for."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack(">I", 1 << 30) + b"x" * 1000)
        theirs.close()
        tracemalloc.start()
        with pytest.raises(ConnectionLost):
            receive_bytes(ours)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("size", [0, 1, 1000, 100_000])
def test_a_frame_arrives_whole(size: int) -> None:
    """Whatever its size."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send_bytes(theirs, b"x" * size)
        assert receive_bytes(ours) == b"x" * size
