"""The small requests: each question puts in place what it asks for, then says what to send."""

from collections.abc import Callable, Mapping

from tests.bench.flows import Job, held, put
from tests.bench.images import Image, digest_of, note, small_image
from tests.bench.payloads import in_hand
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
    del job
    _image(wire, "bench/small")
    return "GET", "/v2/bench/small/manifests/latest"


def head_manifest(wire: Connection, job: Job) -> tuple[str, str]:
    """HEAD of a manifest by tag."""
    return "HEAD", get_manifest(wire, job)[1]


def head_blob(wire: Connection, job: Job) -> tuple[str, str]:
    """HEAD of a blob."""
    del job
    return "HEAD", f"/v2/bench/small/blobs/{_image(wire, 'bench/small').config.digest}"


def tags(wire: Connection, job: Job) -> tuple[str, str]:
    """The tags of a repository of 100."""
    del job
    manifest = _image(wire, "bench/tagged").manifest()
    for number in range(TAGS):
        put(wire, "bench/tagged", f"v{number}", manifest)
    return "GET", "/v2/bench/tagged/tags/list"


def catalog(wire: Connection, job: Job) -> tuple[str, str]:
    """A catalog of 100 repositories."""
    del job
    for number in range(REPOSITORIES):
        _image(wire, f"bench/catalog-{number:03}")
    return "GET", f"/v2/_catalog?n={REPOSITORIES}"


def referrers(wire: Connection, job: Job) -> tuple[str, str]:
    """The ten referrers of a manifest."""
    del job
    manifest = _image(wire, "bench/subject").manifest()
    subject = digest_of(manifest), len(manifest)
    content, empty = in_hand(b"a note"), in_hand(b"{}")
    for item in (content, empty):
        held(wire, item, "bench/subject")
    for number in range(REFERRERS):
        put(wire, "bench/subject", f"r{number}", note(subject, content, empty, str(number)))
    return "GET", f"/v2/bench/subject/referrers/{subject[0]}"


QUESTIONS: Mapping[str, Question] = {
    question.__name__: question
    for question in (version, get_manifest, head_manifest, head_blob, tags, catalog, referrers)
}


def _image(wire: Connection, repository: str) -> Image:
    made = small_image()
    for item in (made.layer, made.config):
        held(wire, item, repository)
    put(wire, repository, "latest", made.manifest())
    return made
