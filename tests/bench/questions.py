"""The small requests: each question puts in place what it asks for, then says what to send."""

import json
from collections.abc import Callable, Mapping

from tests.bench.flows import MANIFEST_TYPE, Job, expect, manifest, seeded
from tests.bench.payloads import Payload
from tests.bench.wire import Connection

TAGS = 100
REFERRERS = 10
REPOSITORIES = 100

Question = Callable[[Connection, Job], tuple[str, str]]
"""Answers method and path."""


def version(wire: Connection, job: Job) -> tuple[str, str]:
    """GET /v2/."""
    del wire, job
    return "GET", "/v2/"


def get_manifest(wire: Connection, job: Job) -> tuple[str, str]:
    """GET of a manifest by tag."""
    _image(wire, job, "bench/small")
    return "GET", "/v2/bench/small/manifests/latest"


def head_manifest(wire: Connection, job: Job) -> tuple[str, str]:
    """HEAD of a manifest by tag."""
    return "HEAD", get_manifest(wire, job)[1]


def head_blob(wire: Connection, job: Job) -> tuple[str, str]:
    """HEAD of a blob."""
    return "HEAD", f"/v2/bench/small/blobs/{_image(wire, job, 'bench/small')[0].digest}"


def tags(wire: Connection, job: Job) -> tuple[str, str]:
    """The tags of a repository of 100."""
    layer, config = _image(wire, job, "bench/tagged")
    for number in range(TAGS):
        _put(wire, "bench/tagged", f"v{number}", manifest(config, layer, "random"))
    return "GET", "/v2/bench/tagged/tags/list"


def catalog(wire: Connection, job: Job) -> tuple[str, str]:
    """A catalog of 100 repositories."""
    for number in range(REPOSITORIES):
        _image(wire, job, f"bench/catalog-{number:03}")
    return "GET", f"/v2/_catalog?n={REPOSITORIES}"


def referrers(wire: Connection, job: Job) -> tuple[str, str]:
    """The ten referrers of a manifest."""
    layer, config = _image(wire, job, "bench/subject")
    raw = manifest(config, layer, "random")
    subject = {"mediaType": MANIFEST_TYPE, "digest": _put(wire, "bench/subject", "latest", raw), "size": len(raw)}
    for number in range(REFERRERS):
        referrer = json.loads(manifest(config, layer, "random", {"bench": f"{number}"}))
        referrer |= {"artifactType": "application/vnd.bench.note", "subject": subject}
        _put(wire, "bench/subject", f"r{number}", json.dumps(referrer).encode())
    return "GET", f"/v2/bench/subject/referrers/{subject['digest']}"


QUESTIONS: Mapping[str, Question] = {
    question.__name__: question
    for question in (version, get_manifest, head_manifest, head_blob, tags, catalog, referrers)
}


def _image(wire: Connection, job: Job, repository: str) -> tuple[Payload, Payload]:
    layer = seeded(wire, Job("", job.target, 1, 1024), "small layer", repository)
    config = seeded(wire, Job("", job.target, 1, 512), "small config", repository)
    _put(wire, repository, "latest", manifest(config, layer, "random"))
    return layer, config


def _put(wire: Connection, repository: str, tag: str, raw: bytes) -> str:
    path = f"/v2/{repository}/manifests/{tag}"
    answer = expect(wire.ask("PUT", path, f"Content-Type: {MANIFEST_TYPE}", body=raw), 201)
    return answer.headers["docker-content-digest"]
