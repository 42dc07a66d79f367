"""Hostile callers: what twice the input costs the server, and how long others wait beside them.

`python -m tests.bench.hostile` asks with inputs of n and 2n bytes (the ratio of processor time should be at most 3),
then lets each kind of caller go on for some seconds while others GET a manifest (their p99 should be under 20 ms).
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.basegate import BASEGATE
from tests.bench.images import MANIFEST_TYPE
from tests.bench.measures import cpu_at_rest
from tests.bench.servers import Running
from tests.repository import Repository

RATIO_GOAL = 3.0
OTHERS_GOAL = 20.0
"""Milliseconds."""
REPEATS = 20
CHECK = "/policy/v1/references:check"
MANIFEST = "/v2/bench/small/manifests/hostile"
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + "0" * 64, "size": 1}


@dataclass(frozen=True, slots=True)
class Caller:
    """One kind of hostile caller.

    Attributes:
        name: what it sends.
        size: bytes of the smaller input.
        send: sends an input of so many bytes; whether credentials go with it is the client's.
        signed_in: whether it has credentials.
    """

    name: str
    size: int
    send: Callable[[httpx.Client, int], httpx.Response]
    signed_in: bool = True


def _check(make: Callable[[int], str]) -> Callable[[httpx.Client, int], httpx.Response]:
    return lambda client, size: client.post(CHECK, content=make(size)[:size])


def _manifest(client: httpx.Client, size: int) -> httpx.Response:
    layers = [{**LAYER, "digest": f"sha256:{number:064x}"} for number in range(size // 160)]
    body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": LAYER, "layers": layers})
    return client.put(MANIFEST, content=body, headers={"Content-Type": MANIFEST_TYPE})


def _twins(size: int) -> str:
    return "{" + ",".join(f'"a{number}":0,"A{number}":0' for number in range(size // 22)) + "}"


CALLERS = (
    Caller("a check without credentials", 120_000, _check(lambda size: "[" * size), signed_in=False),
    Caller("deep JSON", 120_000, _check(lambda size: '{"a":' * size)),
    Caller("members in two cases", 120_000, _check(_twins)),
    Caller("YAML", 30_000, _check(lambda size: "a: b\n" + "- c\n" * size)),
    Caller("a number in sixties", 30_000, _check(lambda size: "a: 1" + ":59" * size)),
    Caller("a manifest of many layers", 1_500_000, _manifest),
    Caller("many fields in a head", 30_000, lambda client, size: client.get("/v2/", headers=_fields(size))),
    Caller(
        "ranges", 30_000, lambda client, size: client.get("/v2/", headers={"range": "bytes=" + "0-0," * (size // 4)})
    ),
)


def _fields(size: int) -> dict[str, str]:
    return {f"x-{number:05}": "y" for number in range(size // 12)}


def ratio(running: Running, client: httpx.Client, caller: Caller) -> float:
    """Processor time for twice the input, over that for the input; what a request costs whatever it holds included."""
    spent = []
    for size in (caller.size, 2 * caller.size):
        caller.send(client, size)
        before = cpu_at_rest(running.process.pid)
        for _ in range(REPEATS):
            caller.send(client, size)
        spent.append(max(cpu_at_rest(running.process.pid) - before, 1 / os.sysconf("SC_CLK_TCK")))
    return spent[1] / spent[0]


def others(client: httpx.Client, hostile: httpx.Client, caller: Caller, seconds: float) -> float:
    """Milliseconds: p99 of a manifest's GETs beside two such callers."""
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            caller.send(hostile, 2 * caller.size)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        spent = list(_asked(client, seconds))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return (statistics.quantiles(spent, n=100)[98] if len(spent) > 1 else spent[0]) * 1000


def _asked(client: httpx.Client, seconds: float) -> Iterator[float]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        client.get("/v2/bench/small/manifests/v1").raise_for_status()
        yield time.perf_counter() - began
        time.sleep(0.002)


def report(folder: Path, seconds: float) -> str:
    """The table."""
    running = BASEGATE.start(folder, "token")
    url, bearer = f"http://127.0.0.1:{running.target.port}", {"Authorization": running.target.authorization}
    lines = ["| caller | processor time for twice the input | others' GETs, p99 |", "|---|---|---|"]
    try:
        with httpx.Client(base_url=url, headers=bearer, timeout=60) as known, httpx.Client(base_url=url) as unknown:
            Repository(known, "bench/small").image("v1")
            for caller in CALLERS:
                hostile = known if caller.signed_in else unknown
                grows, waits = ratio(running, hostile, caller), others(known, hostile, caller, seconds)
                lines.append(f"| {caller.name} | {grows:.1f} | {waits:.1f} ms |")
    finally:
        running.stop()
    return "\n".join([*lines, f"| goal | at most {RATIO_GOAL:g} | under {OTHERS_GOAL:g} ms |"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each caller goes on beside others")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="basegate-hostile-") as folder:
        sys.stdout.write(report(Path(folder), chosen.seconds) + "\n")


if __name__ == "__main__":
    main()
