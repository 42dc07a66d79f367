"""What clients do: each flow yields the operations of one client, made ready before the clock starts."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from tests.bench.payloads import MEDIA_TYPES, Kind, Payload, chunked_tail, payload
from tests.bench.wire import Answer, Connection, Target, WireError

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
PATCH = 8 << 20
"""Bytes of one PATCH of a push in pieces."""

Operation = Callable[[], int]
"""One timed operation; answers how many bytes of content it moved."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one load generator does.

    Attributes:
        flow: a name in `FLOWS` or `loop.TARGETS`.
        target: the server.
        clients: connections.
        size: bytes of one blob, or of one range.
        count: operations of each client; 0 where `seconds` bounds the run.
        seconds: how long a loop of small requests runs.
        kind: what the bytes are.
        unique: names this run, so that no two pushes carry the same content.
    """

    flow: str
    target: Target
    clients: int
    size: int = 0
    count: int = 1
    seconds: float = 0.0
    kind: Kind = "random"
    unique: str = ""


def push(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """POST, then one PUT with the whole body."""
    for item in _fresh(job, client):
        yield partial(push_whole, wire, "bench/push", item)


def push_patched(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """POST, PATCHes of 8 MiB with Content-Range, PUT."""
    for item in _fresh(job, client):
        yield partial(_push_in_patches, wire, item)


def push_streamed(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """POST, one PATCH with chunked transfer coding (docker's way), PUT."""
    for item in _fresh(job, client):
        yield partial(_push_streamed, wire, item, chunked_tail(job.kind, job.size))


def pull(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """GET of a whole blob; two blobs shared by all clients."""
    item = seeded(wire, job, f"pull {client % 2}")
    for _ in range(job.count):
        yield partial(_get, wire, item, 200)


def ranges(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """GET of random slices of `size` bytes out of a blob 64 times as large."""
    whole = Job(job.flow, job.target, 1, job.size * 64, kind=job.kind)
    item = seeded(wire, whole, "pull 0")
    place = random.Random(client)  # noqa: S311 - the same places in every run
    for _ in range(job.count):
        start = place.randrange(item.size - job.size)
        line = f"Range: bytes={start}-{start + job.size - 1}"
        yield partial(_get, wire, item, 206, line)


def put_manifest(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """PUT of distinct manifests, each under a tag of its own."""
    layer = seeded(wire, Job(job.flow, job.target, 1, 1024), "layer", "bench/manifests")
    config = seeded(wire, Job(job.flow, job.target, 1, 512), "config", "bench/manifests")
    for number in range(job.count):
        raw = manifest(config, layer, "random", {"bench": f"{job.unique} {client} {number}"})
        tag = f"t-{client}-{number}"
        yield partial(_put, wire, "bench/manifests", tag, raw)


def push_image(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """A whole image: layer, configuration, manifest."""
    for number, layer in enumerate(_fresh(job, client)):
        config = payload("random", 512, f"{job.unique} config {client} {number}")
        yield partial(image, wire, job, (layer, config), f"{client}-{number}")


def pull_image(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """A whole image: manifest by tag, configuration, layer."""
    layer = seeded(wire, job, f"image {client % 2}", "bench/images")
    config = seeded(wire, Job(job.flow, job.target, 1, 512), f"image config {client % 2}", "bench/images")
    raw = manifest(config, layer, job.kind)
    tag = f"pull-{job.size}-{client % 2}"
    _put(wire, "bench/images", tag, raw)
    for _ in range(job.count):
        yield partial(_pull_image, wire, tag, config, layer)


def mixed(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """Three clients of four pull images, the fourth pushes them."""
    return (push_image if client % 4 == 3 else pull_image)(wire, job, client)


FLOWS: Mapping[str, Callable[[Connection, Job, int], Iterator[Operation]]] = {
    flow.__name__: flow
    for flow in (push, push_patched, push_streamed, pull, ranges, put_manifest, push_image, pull_image, mixed)
}


def expect(answer: Answer, status: int) -> Answer:
    """The answer, when it has the status it must have."""
    if answer.status != status:
        raise WireError(f"The server answered {answer.status}, not {status}: {answer.body[:300]!r}")
    return answer


def manifest(config: Payload, layer: Payload, kind: Kind, notes: Mapping[str, str] | None = None) -> bytes:
    """An image manifest of one layer."""
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": CONFIG_TYPE, "digest": config.digest, "size": config.size},
        "layers": [{"mediaType": MEDIA_TYPES[kind], "digest": layer.digest, "size": layer.size}],
        "annotations": dict(notes or {}),
    }
    return json.dumps(document).encode()


def seeded(wire: Connection, job: Job, name: str, repository: str = "bench/pull") -> Payload:
    """A payload the server already holds; pushed now, untimed, when it does not."""
    item = payload(job.kind, job.size, name)
    if wire.ask("HEAD", f"/v2/{repository}/blobs/{item.digest}").status != 200:
        push_whole(wire, repository, item)
    return item


def push_whole(wire: Connection, repository: str, item: Payload) -> int:
    """POST and PUT of a payload."""
    place = _begin(wire, repository)
    wire.socket.sendall(wire.head("PUT", _closing(place, item), f"Content-Length: {item.size}", _OCTETS) + item.head)
    wire.send_file(item.tail, 0, item.tail_size)
    expect(wire.answer("PUT"), 201)
    return item.size


def image(wire: Connection, job: Job, blobs: tuple[Payload, Payload], tag: str) -> int:
    """Push a layer, a configuration and their manifest; bytes of the layer."""
    layer, config = blobs
    push_whole(wire, "bench/images", layer)
    push_whole(wire, "bench/images", config)
    _put(wire, "bench/images", tag, manifest(config, layer, job.kind))
    return layer.size


_OCTETS = "Content-Type: application/octet-stream"


def _fresh(job: Job, client: int) -> list[Payload]:
    return [payload(job.kind, job.size, f"{job.unique} {client} {number}") for number in range(job.count)]


def _begin(wire: Connection, repository: str) -> str:
    return _place(expect(wire.ask("POST", f"/v2/{repository}/blobs/uploads/", body=b""), 202))


def _place(answer: Answer) -> str:
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _closing(place: str, item: Payload) -> str:
    return f"{place}{'&' if '?' in place else '?'}digest={item.digest}"


def _close(wire: Connection, place: str, item: Payload) -> int:
    expect(wire.ask("PUT", _closing(place, item), body=b""), 201)
    return item.size


def _push_in_patches(wire: Connection, item: Payload) -> int:
    place = _begin(wire, "bench/push")
    for start in range(0, item.size, PATCH):
        end = min(start + PATCH, item.size)
        lines = (f"Content-Range: {start}-{end - 1}", f"Content-Length: {end - start}", _OCTETS)
        head = item.head[start:end]
        wire.socket.sendall(wire.head("PATCH", place, *lines) + head)
        begin = max(start - len(item.head), 0)
        wire.send_file(item.tail, begin, end - start - len(head))
        place = _place(expect(wire.answer("PATCH"), 202))
    return _close(wire, place, item)


def _push_streamed(wire: Connection, item: Payload, tail: tuple[int, int]) -> int:
    place = _begin(wire, "bench/push")
    first = b"%x\r\n%b\r\n" % (len(item.head), item.head)
    wire.socket.sendall(wire.head("PATCH", place, "Transfer-Encoding: chunked", _OCTETS) + first)
    memory, size = tail
    wire.send_file(memory, 0, size)
    return _close(wire, _place(expect(wire.answer("PATCH"), 202)), item)


def _get(wire: Connection, item: Payload, status: int, *lines: str) -> int:
    return expect(wire.ask("GET", f"/v2/bench/pull/blobs/{item.digest}", *lines, keep=False), status).size


def _put(wire: Connection, repository: str, tag: str, raw: bytes) -> int:
    line = f"Content-Type: {MANIFEST_TYPE}"
    expect(wire.ask("PUT", f"/v2/{repository}/manifests/{tag}", line, body=raw), 201)
    return 0


def _pull_image(wire: Connection, tag: str, config: Payload, layer: Payload) -> int:
    accept = f"Accept: {MANIFEST_TYPE}"
    expect(wire.ask("GET", f"/v2/bench/images/manifests/{tag}", accept), 200)
    expect(wire.ask("GET", f"/v2/bench/images/blobs/{config.digest}"), 200)
    return expect(wire.ask("GET", f"/v2/bench/images/blobs/{layer.digest}", keep=False), 200).size
