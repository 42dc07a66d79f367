"""What clients do: each flow yields the operations of one client, made ready before the clock starts."""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from tests.bench.images import MANIFEST_TYPE, Image, digest_of, image, small_image
from tests.bench.payloads import Kind, Payload, chunked_tail, payload
from tests.bench.wire import Answer, Connection, Target, WireError

ASSORTED = (1_000_000, *(10_000_000,) * 5, 100_000_000, 1_000_000)
"""Layer sizes of eight clients in the assorted mixes: about 20 % of 1 MB, 70 % of 10 MB, 10 % of 100 MB, like zb's."""

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
        reader: how the timed requests of a loop are sent, where not as `target` says.
        rate: requests a second of a steady loop; 0 for one that is as fast as it can be.
    """

    flow: str
    target: Target
    clients: int
    size: int = 0
    count: int = 1
    seconds: float = 0.0
    kind: Kind = "random"
    unique: str = ""
    reader: Target | None = None
    rate: float = 0.0


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
        yield partial(_push_streamed, wire, "bench/push", item, chunked_tail(job.kind, job.size))


def pull(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """GET of a whole blob; two blobs shared by all clients. A redirect to the store ends it."""
    item = held(wire, payload(job.kind, job.size, f"pull {client % 2}"), "bench/pull")
    for _ in range(job.count):
        yield partial(_pull, wire, item)


def ranges(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """GET of random slices of `size` bytes out of a blob 64 times as large."""
    item = held(wire, payload(job.kind, job.size * 64, "pull 0"), "bench/pull")
    place = random.Random(client)  # noqa: S311 - the same places in every run
    for _ in range(job.count):
        start = place.randrange(item.size - job.size)
        line = f"Range: bytes={start}-{start + job.size - 1}"
        yield partial(_get, wire, item, 206, line)


def put_manifest(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """PUT of manifests that nobody has seen, each under a new tag, of an image whose blobs are there."""
    made = small_image()
    for item in (made.layer, made.config):
        held(wire, item, "bench/manifests")
    put(wire, "bench/manifests", "first", made.manifest())
    for number in range(job.count):
        name = f"{job.unique} {client} {number}"
        tag = f"t-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        yield partial(put, wire, "bench/manifests", tag, made.manifest({"bench": name}))


def push_image(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """A whole image: layer, configuration, manifest."""
    for tag, made in _images(job, client):
        yield partial(_push_image, wire, made, made.manifest(), tag)


def push_image_streamed(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """The same, its layer with chunked transfer coding."""
    tail = chunked_tail(job.kind, job.size)
    for tag, made in _images(job, client):
        yield partial(_push_image, wire, made, made.manifest(), tag, tail)


def pull_image(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """A whole image: manifest by tag, configuration, layer."""
    made = image(job.kind, job.size, f"image {client % 2}")
    for item in (made.layer, made.config):
        held(wire, item, "bench/images")
    tag = f"pull-{job.size}-{client % 2}"
    put(wire, "bench/images", tag, made.manifest())
    for _ in range(job.count):
        yield partial(_pull_image, wire, tag, made)


def mixed(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """Three clients of four pull images, the fourth pushes them."""
    return (push_image if client % 4 == 3 else pull_image)(wire, job, client)


def push_assorted(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """Whole images, small and large ones side by side; `size` is the largest."""
    return push_image(wire, _assorted(job, client), client)


def pull_assorted(wire: Connection, job: Job, client: int) -> Iterator[Operation]:
    """The same the other way."""
    return pull_image(wire, _assorted(job, client), client)


FLOWS: Mapping[str, Callable[[Connection, Job, int], Iterator[Operation]]] = {
    flow.__name__: flow
    for flow in (
        *(push, push_patched, push_streamed, pull, ranges, put_manifest),
        *(push_image, push_image_streamed, pull_image, mixed, push_assorted, pull_assorted),
    )
}


def expect(answer: Answer, status: int) -> Answer:
    """The answer, when it has the status it must have."""
    if answer.status != status:
        raise WireError(f"The server answered {answer.status}, not {status}: {answer.body[:300]!r}")
    return answer


def held(wire: Connection, item: Payload, repository: str) -> Payload:
    """A payload the server already holds in the repository; pushed now, untimed, when it does not."""
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


def put(wire: Connection, repository: str, tag: str, raw: bytes) -> int:
    """PUT of a manifest, which the server must give the name that its bytes have."""
    line = f"Content-Type: {MANIFEST_TYPE}"
    answer = expect(wire.ask("PUT", f"/v2/{repository}/manifests/{tag}", line, body=raw), 201)
    if answer.headers.get("docker-content-digest") != digest_of(raw):
        raise WireError(f"The server stored a manifest under another name: {answer.headers}")
    return 0


_OCTETS = "Content-Type: application/octet-stream"


def _fresh(job: Job, client: int) -> list[Payload]:
    return [payload(job.kind, job.size, f"{job.unique} {client} {number}") for number in range(job.count)]


def _images(job: Job, client: int) -> Iterator[tuple[str, Image]]:
    for number in range(job.count):
        name = f"{job.unique} {client} {number}"
        yield f"i-{hashlib.sha256(name.encode()).hexdigest()[:16]}", image(job.kind, job.size, name)


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


def _push_streamed(wire: Connection, repository: str, item: Payload, tail: tuple[int, int]) -> int:
    place = _begin(wire, repository)
    first = b"%x\r\n%b\r\n" % (len(item.head), item.head)
    wire.socket.sendall(wire.head("PATCH", place, "Transfer-Encoding: chunked", _OCTETS) + first)
    memory, size = tail
    wire.send_file(memory, 0, size)
    return _close(wire, _place(expect(wire.answer("PATCH"), 202)), item)


def _pull(wire: Connection, item: Payload) -> int:
    answer = wire.ask("GET", f"/v2/bench/pull/blobs/{item.digest}", keep=False)
    return item.size if answer.status == 307 else expect(answer, 200).size


def _get(wire: Connection, item: Payload, status: int, *lines: str) -> int:
    return expect(wire.ask("GET", f"/v2/bench/pull/blobs/{item.digest}", *lines, keep=False), status).size


def _push_image(
    wire: Connection, made: Image, manifest: bytes, tag: str, streamed: tuple[int, int] | None = None
) -> int:
    if streamed is None:
        push_whole(wire, "bench/images", made.layer)
    else:
        _push_streamed(wire, "bench/images", made.layer, streamed)
    push_whole(wire, "bench/images", made.config)
    put(wire, "bench/images", tag, manifest)
    return made.layer.size


def _pull_image(wire: Connection, tag: str, made: Image) -> int:
    accept = f"Accept: {MANIFEST_TYPE}"
    expect(wire.ask("GET", f"/v2/bench/images/manifests/{tag}", accept), 200)
    expect(wire.ask("GET", f"/v2/bench/images/blobs/{made.config.digest}"), 200)
    return expect(wire.ask("GET", f"/v2/bench/images/blobs/{made.layer.digest}", keep=False), 200).size


def _assorted(job: Job, client: int) -> Job:
    size = ASSORTED[client % len(ASSORTED)] * job.size // max(ASSORTED)
    return replace(job, size=size)
