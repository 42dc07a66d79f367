"""The states of a connection: whether its socket is read, and what it waits for.

This is the table of docs/adr/0031.
"""

from enum import Enum

from registry.http.deadlines import Waits
from registry.http.file_transfer import FileTransfer
from registry.http.request_cycle import RequestResponseCycle
from registry.http.unconfirmed import Unconfirmed

PIPELINED = 1 << 16
"""Bytes of requests that may wait behind the one being served."""


class State(Enum):
    """Attributes: `reads`: whether the event loop reads the socket; `waits`: what the connection waits for."""

    IDLE = "no byte of the next request is received", True, Waits.IDLE
    HEAD = "a part of a head is received", True, Waits.HEAD
    HELD_BACK = "requests wait: other connections come first, or the client takes no answers", True, Waits.OTHERS
    SERVING = "a complete request is being answered", True, Waits.OTHERS
    CROWDED = "too many requests wait behind the one being answered", False, Waits.OTHERS
    OFFERED = "the application has not chosen how to read the body", False, Waits.OTHERS
    ASKED = "the application waits for the body, or takes it as it comes", True, Waits.BODY
    FULL = "enough of the body waits for the application", False, Waits.OTHERS
    WRITING = "a worker processes the body", False, Waits.OTHERS
    RECEIVING = "a worker waits for the body", False, Waits.BODY
    DROPPING = "the request is answered, the rest of its body is dropped", True, Waits.BODY
    CLOSING = "the connection ends", True, Waits.OTHERS

    def __init__(self, meaning: str, reads: bool, waits: Waits) -> None:  # noqa: FBT001 - a table's row
        self.meaning = meaning
        self.reads = reads
        self.waits = waits


def state_of(
    current: RequestResponseCycle | FileTransfer | Unconfirmed | None,
    ahead: int,
    *,
    held_back: bool,
    direct: bool,
    worker_waits: bool,
) -> State:
    """The state of a connection that is not closing.

    Args:
        current: the request or transfer it serves.
        ahead: received bytes behind it.
        held_back: whether no request is begun now.
        direct: whether workers may use the socket.
        worker_waits: whether a worker's body is awaited.
    """
    if current is None:
        state = State.HELD_BACK if held_back else State.HEAD if ahead else State.IDLE
    elif not isinstance(current, RequestResponseCycle) or current.framing.complete:
        state = State.SERVING
    elif current.receiving:
        state = State.RECEIVING if worker_waits else State.WRITING
    elif current.complete:
        state = State.DROPPING
    elif direct and not current.asked:
        state = State.OFFERED
    else:
        state = State.FULL if current.full else State.ASKED
    return State.CROWDED if ahead > PIPELINED and state in {State.HELD_BACK, State.SERVING} else state
