"""Kubernetes' questions to a basegate that holds much: each about images that were pushed, one at a time over HTTP."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from tests.bench.basegate import Basegate
from tests.bench.figures import Figure
from tests.bench.flows import expect, held, put
from tests.bench.images import small_image
from tests.bench.measures import cpu_seconds
from tests.bench.rounds import slowest
from tests.bench.servers import Running
from tests.bench.wire import Connection, Target, WireError

REVIEW_MS = 5.0
"""Goal: milliseconds within which 99 of 100 are answered."""
_REPOSITORY = "bench/reviewed"
_NAMED = f"localhost/{_REPOSITORY}:t-{{}}"
"""An image, as the Host header of the wire says."""

Made = Callable[[Callable[[], str]], Mapping[str, Any]]


def measure_reviews(server: Basegate, running: Running, authorization: str, count: int) -> Iterator[Figure]:
    """Push so many images, and ask about any of them as often."""
    chance = random.Random(20190711)  # noqa: S311 - the same images in every run

    def one() -> str:
        return _NAMED.format(chance.randrange(count))

    with Connection(Target(running.target.port, authorization)) as wire:
        _push(wire, count)
        for name, (path, made) in _QUESTIONS.items():
            before = cpu_seconds(running.process.pid)
            spent = sorted(_times(wire, path, [json.dumps(made(one)).encode() for _ in range(count)]))
            cpu = (cpu_seconds(running.process.pid) - before) / count * 1000
            yield Figure(name, server.name, slowest(spent, 50) * 1000, "ms", column="p50")
            yield Figure(name, server.name, slowest(spent, 99) * 1000, "ms", REVIEW_MS, "p99")
            yield Figure(name, server.name, cpu, "ms", column="processor time")


def _push(wire: Connection, count: int) -> None:
    image = small_image()
    for item in (image.layer, image.config):
        held(wire, item, _REPOSITORY)
    for number in range(count):
        put(wire, _REPOSITORY, f"t-{number}", image.manifest({"bench": f"reviewed {number}"}))


def image_reviews(wire: Connection, count: int) -> Iterator[float]:
    """Ask about the images that were pushed, whatever the answer; seconds of each."""
    for number in range(count):
        body = json.dumps(_image_review(partial(_NAMED.format, number))).encode()
        began = time.perf_counter()
        answer = wire.ask("POST", "/policy/v1/imagereview", "Content-Type: application/json", body=body)
        yield time.perf_counter() - began
        expect(answer, 200)


def _times(wire: Connection, path: str, bodies: list[bytes]) -> Iterator[float]:
    for body in bodies:
        began = time.perf_counter()
        answer = wire.ask("POST", path, "Content-Type: application/json", body=body)
        yield time.perf_counter() - began
        if b'"allowed":true' not in expect(answer, 200).body:
            raise WireError(f"An image that is cleared was denied: {answer.body.decode()[:500]}")


def _image_review(image: Callable[[], str]) -> Mapping[str, Any]:
    spec = {"containers": [{"image": image()}], "namespace": "default"}
    return {"apiVersion": "imagepolicy.k8s.io/v1alpha1", "kind": "ImageReview", "spec": spec}


def _admission(image: Callable[[], str]) -> Mapping[str, Any]:
    """A Deployment of a container, a container that prepares it, and a volume."""
    volumes = [{"name": "v", "image": {"reference": image()}}]
    spec = {"containers": [{"image": image()}], "initContainers": [{"image": image()}], "volumes": volumes}
    thing = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": spec}}}
    request = {"uid": "1", "operation": "CREATE", "object": thing}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


_QUESTIONS: Mapping[str, tuple[str, Made]] = {
    "image review of one image": ("/policy/v1/imagereview", _image_review),
    "admission review of three images": ("/policy/v1/admission", _admission),
    "the same, pinned": ("/policy/v1/admission/digest", _admission),
}
