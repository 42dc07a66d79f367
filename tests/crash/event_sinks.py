"""Many events, a sink that is dead and then alive, and kills: `make events COUNT=1000000 KILLS=100`.

    python -m tests.crash.event_sinks COUNT KILLS

Says whether memory stayed flat, whether every event arrived, and whether the first arrivals kept the order.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from sqlalchemy import Connection

from registry.config.sinks import SinkSettings
from registry.metadata import events, sinks
from registry.metadata.events import Event
from registry.metadata.open_store import open_metadata
from registry.notifications.delivery import Delivery
from registry.notifications.sink import Sink

_BATCH = 1000
_KINDS = ("manifest.pushed", "tag.moved")


@dataclass(slots=True)
class Arrivals:
    """What a receiver has heard: the first arrivals, which must come in order, and how many came again."""

    highest: int = 0
    again: int = 0
    wrong: list[int] = field(default_factory=list)

    def hear(self, number: int) -> None:
        """An event has arrived."""
        if number == self.highest + 1:
            self.highest = number
        elif number <= self.highest:
            self.again += 1
        else:
            self.wrong.append(number)


def _write(connection: Connection, first: int, count: int) -> None:
    happened = [Event(_KINDS[number % 2], f"team/app{number % 7}", "", f"t{number}") for number in range(count)]
    events.record(connection, float(first), happened)


def fill(data: Path, count: int) -> None:
    """Write so many events, and a sink that has heard of none."""

    async def work() -> None:
        with closing(open_metadata(data)) as metadata:
            await metadata.write(sinks.begin, "dead")
            for first in range(0, count, _BATCH):
                await metadata.write(_write, first, min(_BATCH, count - first))

    asyncio.run(work())


def tell(data: Path, url: str) -> None:
    """Deliver until killed."""
    sink = Sink.of(SinkSettings.model_validate({"name": "dead", "url": url, "local": True}))

    async def work() -> None:
        with closing(open_metadata(data)) as metadata:
            await Delivery(sink, metadata).run()

    uvloop.run(work())  # as the server does


def _telling(data: Path, url: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", __spec__.name, "tell", str(data), url])


def _memory(pid: int) -> int:
    """Resident memory in KiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


def _has_failed(data: Path) -> bool:
    with closing(open_metadata(data)) as metadata:
        state = metadata.read_now(sinks.find, "dead")
    return state is not None and state.failures > 0


def beside_the_dead(data: Path, seconds: float) -> tuple[int, int]:
    """Memory of one that tells a dead sink, after its first try and at the end, in KiB."""
    telling = _telling(data, "http://127.0.0.1:9/")
    try:
        while not _has_failed(data):
            time.sleep(0.1)
        first = _memory(telling.pid)
        time.sleep(seconds)
        return first, _memory(telling.pid)
    finally:
        telling.kill()
        telling.wait()


async def _serve(arrivals: Arrivals, ready: asyncio.Future[int]) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                name = head.lower().partition(b"webhook-id:")[2].split(b"\r\n")[0]
                arrivals.hear(int(name.rpartition(b".")[2]))
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    ready.set_result(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


async def over_kills(data: Path, count: int, kills: int) -> tuple[Arrivals, int]:
    """What arrives while whoever tells is killed again and again; and its largest memory in KiB."""
    arrivals, ready = Arrivals(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(_serve(arrivals, ready))
    url, largest = f"http://127.0.0.1:{await ready}/", 0
    for place in _places(count, kills):
        telling = _telling(data, url)
        while arrivals.highest < place:
            await asyncio.sleep(0.005)
            if telling.poll() is not None:
                raise RuntimeError("whoever tells has ended by itself")
        largest = max(largest, _memory(telling.pid))
        sys.stderr.write(f"{_arrived(arrivals)}; {largest} KiB at most\n")
        os.kill(telling.pid, signal.SIGKILL)
        telling.wait()
    serving.cancel()
    return arrivals, largest


def _arrived(arrivals: Arrivals) -> str:
    return f"{arrivals.highest} arrived in order, {arrivals.again} of them again, {len(arrivals.wrong)} out of order"


def _places(count: int, kills: int) -> Iterator[int]:
    """How many events have arrived at each kill; the last is the whole."""
    yield from (count * number // (kills + 1) for number in range(1, kills + 1))
    yield count


def trial(count: int, kills: int, dead_seconds: float = 20.0) -> list[str]:
    """What is wrong; nothing is as it should be."""
    with TemporaryDirectory() as folder:
        data = Path(folder)
        fill(data, count)
        first, last = beside_the_dead(data, dead_seconds)
        began = time.monotonic()
        arrivals, largest = uvloop.run(over_kills(data, count, kills))
        seconds = time.monotonic() - began
    memory = f"{first} KiB beside a dead sink, {last} KiB later, {largest} KiB at most while it is told"
    sys.stdout.write(f"{count} events, {kills} kills: {_arrived(arrivals)}, in {seconds:.0f} s; memory {memory}\n")
    grown = max(last - first, largest - first)
    wrong = [f"memory has grown by {grown} KiB"] if grown > 16 * 1024 else []
    wrong += [f"{count - arrivals.highest} events are lost"] if arrivals.highest < count else []
    return wrong + ([f"{len(arrivals.wrong)} events came before an earlier one"] if arrivals.wrong else [])


if __name__ == "__main__":
    if sys.argv[1] == "tell":
        tell(Path(sys.argv[2]), sys.argv[3])
    else:
        sys.exit("; ".join(trial(int(sys.argv[1]), int(sys.argv[2]))) or 0)
