"""A policy put into force at a basegate that holds much: until it counts everywhere, and what is answered meanwhile."""

import json
import time
from collections.abc import Iterator

from tests.bench.basegate import Basegate
from tests.bench.figures import Figure
from tests.bench.flows import expect
from tests.bench.measures import cpu_seconds, resident_memory
from tests.bench.reviews import REVIEW_MS, image_reviews
from tests.bench.rounds import slowest
from tests.bench.servers import Running
from tests.bench.wire import Connection, Target

TURN_SECONDS = 10.0
"""Goal: until a policy is in force for all that is stored."""
POLICY = "azureml-2020-11"
_TURN = "a policy is put into force"
_JSON = "Content-Type: application/json"


def measure_turn(server: Basegate, running: Running, authorization: str, count: int) -> Iterator[Figure]:
    """Put a policy into force by which nothing was judged, then ask so many reviews while verdicts are renewed."""
    pid = running.process.pid
    with Connection(Target(running.target.port, authorization)) as wire:
        before, began = cpu_seconds(pid), time.perf_counter()
        _activate(wire)
        yield Figure(_TURN, server.name, time.perf_counter() - began, "s", TURN_SECONDS)
        yield Figure(f"{_TURN}, processor time", server.name, cpu_seconds(pid) - before, "s")
        spent = sorted(image_reviews(wire, count))
        for percent, limit in ((50, 0.0), (99, REVIEW_MS)):
            name = "image review of one image, just behind a turn"
            yield Figure(name, server.name, slowest(spent, percent) * 1000, "ms", limit, f"p{percent}")
    yield Figure("resident, just behind a turn", server.name, resident_memory(pid) / (1 << 20), "MiB")


def _activate(wire: Connection) -> None:
    """Have it done, and wait for the end of the run."""
    answer = wire.ask("POST", "/admin/v1/policies/activate", _JSON, body=json.dumps({"policy": POLICY}).encode())
    while answer.status == 202 or json.loads(answer.body).get("state") == "running":
        where = f"/admin/v1/runs/{json.loads(answer.body)['run']}?wait=yes"
        answer = wire.ask("GET", where)
    state = json.loads(expect(answer, 200).body)["state"]
    if state != "done":
        raise RuntimeError(f"the policy was not put into force: {answer.body.decode()[:500]}")
