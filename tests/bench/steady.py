"""Small requests at a fixed rate, whatever the answers take: how long others wait while something else goes on."""

import select
import time
from collections import deque

from tests.bench.lanes import Lane, is_answered


def ask(lanes: dict[int, Lane], request: bytes, rate: float, until: int) -> list[float]:
    """Send `rate` requests a second, in turn on each lane, until the descriptor `until` can be read.

    Returns the seconds of each; one that had to wait for the answer before it counts from when it was due.
    """
    poll = select.epoll()
    poll.register(until, select.EPOLLIN)
    for number in lanes:
        poll.register(number, select.EPOLLIN)
    ring = [(lane, deque[float]()) for lane in lanes.values()]
    waiting = {lane.socket.fileno(): due for lane, due in ring}
    spent: list[float] = []
    start, sent = time.perf_counter(), 0
    while True:
        while (due := start + sent / rate) <= time.perf_counter():
            _send(*ring[sent % len(ring)], request, due)
            sent += 1
        for number, _ in poll.poll(max(0.0, due - time.perf_counter())):
            if number == until:
                return spent
            if is_answered(lanes[number]):
                spent.append(time.perf_counter() - waiting[number].popleft())
                if waiting[number]:
                    lanes[number].socket.send(request)


def _send(lane: Lane, waiting: deque[float], request: bytes, due: float) -> None:
    if waiting:
        waiting.append(due)
        return
    # Now, not when it was due: what this process was late is not the server's.
    waiting.append(time.perf_counter())
    lane.socket.send(request)
