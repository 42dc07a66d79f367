"""The states of a connection: in which of them its socket is read, and for whom it waits there.

This is the table of docs/adr/0031; whatever changes a state looks at it again.
"""

from enum import Enum

from registry.http.deadlines import Waits
from registry.http.file_transfer import FileTransfer
from registry.http.request_cycle import RequestResponseCycle

PIPELINED = 1 << 16
"""Bytes of requests that may wait behind the one being served."""


class State(Enum):
    """Attributes: `reads`: whether the socket is read by the event loop; `waits`: for whom the connection waits."""

    IDLE = "no byte of the next request has come", True, Waits.IDLE
    HEAD = "a part of a head has come", True, Waits.HEAD
    HELD_BACK = "requests are here, and others come first or the client takes no answers", True, Waits.OTHERS
    SERVING = "a request has come whole and is being answered", True, Waits.OTHERS
    CROWDED = "too many requests wait behind the one that is being answered", False, Waits.OTHERS
    OFFERED = "the application has not said yet how the body is to be read", False, Waits.OTHERS
    ASKED = "the application waits for the body, or takes it as it comes", True, Waits.BODY
    FULL = "enough of the body waits for the application", False, Waits.OTHERS
    WRITING = "a worker receives the body, and has enough to do", False, Waits.OTHERS
    RECEIVING = "a worker receives the body, and waits for it", False, Waits.BODY
    DROPPING = "the request is answered, the rest of its body is dropped", True, Waits.BODY
    CLOSING = "the connection ends", True, Waits.OTHERS

    def __init__(self, meaning: str, reads: bool, waits: Waits) -> None:  # noqa: FBT001 - a table's row
        self.meaning = meaning
        self.reads = reads
        self.waits = waits


def state_of(
    turn: RequestResponseCycle | FileTransfer | None, ahead: int, *, held_back: bool, direct: bool, worker_waits: bool
) -> State:
    """The state of a connection that does not end.

    Args:
        turn: what it is occupied with.
        ahead: bytes that have come and belong to nothing yet.
        held_back: whether no request is begun just now.
        direct: whether workers may use the socket.
        worker_waits: whether a body is waited for that a worker is to receive.
    """
    if turn is None:
        state = State.HELD_BACK if held_back else State.HEAD if ahead else State.IDLE
    elif isinstance(turn, FileTransfer) or turn.framing.complete:
        state = State.SERVING
    elif turn.pouring:
        state = State.RECEIVING if worker_waits else State.WRITING
    elif turn.complete:
        state = State.DROPPING
    elif direct and not turn.asked:
        state = State.OFFERED
    else:
        state = State.FULL if turn.full else State.ASKED
    return State.CROWDED if ahead > PIPELINED and state in {State.HELD_BACK, State.SERVING} else state
