"""A closed loop of one small request on many connections: one thread, epoll, as fast as the server answers."""

import select
import time

from tests.bench.lanes import Lane, is_answered


def ask(lanes: dict[int, Lane], request: bytes, seconds: float) -> list[float]:
    """Keep every lane asking for so long; the seconds of each request."""
    poll = select.epoll()
    spent: list[float] = []
    for lane in lanes.values():
        poll.register(lane.socket, select.EPOLLIN)
        lane.sent = time.perf_counter()
        lane.socket.send(request)
    end = time.perf_counter() + seconds
    now = 0.0
    while now < end:
        for number, _ in poll.poll():
            lane = lanes[number]
            if not is_answered(lane):
                continue
            now = time.perf_counter()
            spent.append(now - lane.sent)
            lane.sent = now
            lane.socket.send(request)
    for lane in lanes.values():
        lane.socket.close()
    return spent
