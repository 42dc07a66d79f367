"""Hostile callers: what twice the input costs the server, and how long others wait beside them.

`python -m tests.bench.hostile` asks with inputs of n and 2n bytes (the ratio of processor time should be at most 3),
then lets each kind of caller go on for some seconds while others GET a manifest (their p99 should be under 20 ms).
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx

from registry.oci.digest import Digest
from tests.bench.basegate import BASEGATE
from tests.bench.images import MANIFEST_TYPE
from tests.bench.measures import cpu_at_rest
from tests.bench.rounds import asking
from tests.bench.servers import Running
from tests.repository import Repository

RATIO_GOAL = 3.0
OTHERS_GOAL = 20.0
"""Milliseconds."""
OTHERS_RATE = 200.0
"""GETs a second."""
REPEATS = 20
CHECK = "/policy/v1/references:check"
MANIFEST = "/v2/bench/small/manifests/hostile"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
HELD = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": Digest.of(b"{}"), "size": 2}
LAYER = {"mediaType": LAYER_TYPE, "digest": "sha256:" + "0" * 64, "size": 1}


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


def _manifest(descriptor: Callable[[int], dict[str, object]]) -> Callable[[httpx.Client, int], httpx.Response]:
    @cache
    def body(size: int) -> bytes:
        layers = [descriptor(number) for number in range(size // 160)]
        document = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": HELD, "layers": layers}
        return json.dumps(document).encode()

    return lambda client, size: client.put(MANIFEST, content=body(size), headers={"Content-Type": MANIFEST_TYPE})


def _unknown(number: int) -> dict[str, object]:
    return {**LAYER, "digest": f"sha256:{number:064x}"}


def _twins(size: int) -> str:
    return "{" + ",".join(f'"a{number}":0,"A{number}":0' for number in range(size // 22)) + "}"


CALLERS = (
    Caller("a check without credentials", 120_000, _check(lambda size: "[" * size), signed_in=False),
    Caller("deep JSON", 120_000, _check(lambda size: '{"a":' * size)),
    Caller("members in two cases", 120_000, _check(_twins)),
    Caller("YAML", 30_000, _check(lambda size: "a: b\n" + "- c\n" * size)),
    Caller("a number in sixties", 30_000, _check(lambda size: "a: 1" + ":59" * size)),
    Caller("a manifest of many layers", 1_500_000, _manifest(_unknown)),
    Caller("a manifest of one layer many times", 1_500_000, _manifest(lambda _: {**HELD, "mediaType": LAYER_TYPE})),
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


def others(running: Running, caller: Caller | None, hostile: httpx.Client, seconds: float) -> float:
    """Milliseconds: p99 of a manifest's GETs, sent by a process of their own, beside two such callers, if any."""
    over = threading.Event()

    def call() -> None:
        while caller is not None and not over.is_set():
            caller.send(hostile, 2 * caller.size)

    with asking(running.target, OTHERS_RATE) as waits:
        threads = [threading.Thread(target=call) for _ in range(2)]
        for thread in threads:
            thread.start()
        waits.begin()
        time.sleep(seconds)
        found = waits.end()
        over.set()
        for thread in threads:
            thread.join()
    return found * 1000


def report(folder: Path, seconds: float, chosen: Sequence[Caller] = CALLERS) -> str:
    """The table."""
    running = BASEGATE.start(folder, "token")
    url, bearer = f"http://127.0.0.1:{running.target.port}", {"Authorization": running.target.authorization}
    lines = ["| caller | processor time for twice the input | others' GETs, p99 |", "|---|---|---|"]
    try:
        with httpx.Client(base_url=url, headers=bearer, timeout=60) as known, httpx.Client(base_url=url) as unknown:
            Repository(known, "bench/small").blob(b"{}")
            lines.append(f"| nobody | | {others(running, None, unknown, seconds):.1f} ms |")
            for caller in chosen:
                hostile = known if caller.signed_in else unknown
                grows, waits = ratio(running, hostile, caller), others(running, caller, hostile, seconds)
                lines.append(f"| {caller.name} | {grows:.1f} | {waits:.1f} ms |")
    finally:
        running.stop()
    return "\n".join([*lines, f"| goal | at most {RATIO_GOAL:g} | under {OTHERS_GOAL:g} ms |"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each caller goes on beside others")
    parser.add_argument("--only", default="", help="callers whose name contains this")
    chosen = parser.parse_args()
    callers = [caller for caller in CALLERS if chosen.only in caller.name]
    with tempfile.TemporaryDirectory(prefix="basegate-hostile-") as folder:
        sys.stdout.write(report(Path(folder), chosen.seconds, callers) + "\n")


if __name__ == "__main__":
    main()
