"""The columns of the door matrix: every way in which content or a clearance leaves, tried over HTTP."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from policy.attestation.types import BUNDLE_TYPE
from policy.decision import AccessPoint
from policy.state import State
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.oci.timestamp import exact_timestamp
from tests.policy.door_cases import SUBJECT, Case
from tests.policy.export_probe import export
from tests.policy.kubernetes.reviews import admission_review, image_review, pod
from tests.policy.lab import TEAM

TARGET = RepositoryName("lab/mounted")
"""Where blobs are mounted to."""
Probe = Callable[[httpx.Client, Case], bool]
_NOT_ATTESTED = frozenset({State.PENDING, State.NOT_APPLICABLE})
_OPEN = frozenset({State.CLEARED, State.NOT_APPLICABLE})


def agree(found: set[int], status: int = 200) -> bool:
    """Whether all answers had the status; none of them may differ from the others."""
    assert len({each == status for each in found}) == 1, found
    return found == {status}


def manifest(method: str) -> Probe:
    """By tag and by digest."""

    def probe(client: httpx.Client, case: Case) -> bool:
        names = (case.name, case.digest)
        return agree({client.request(method, f"/v2/{TEAM}/manifests/{name}").status_code for name in names})

    return probe


def blob(method: str) -> Probe:
    """The blob that nobody else names."""

    def probe(client: httpx.Client, case: Case) -> bool:
        return client.request(method, f"/v2/{TEAM}/blobs/{Digest.of(case.blob)}").status_code == 200

    return probe


def blob_part(client: httpx.Client, case: Case) -> bool:
    """The first bytes of it, and the last."""
    path = f"/v2/{TEAM}/blobs/{Digest.of(case.blob)}"
    return agree({client.get(path, headers={"Range": f"bytes={part}"}).status_code for part in ("0-3", "-2")}, 206)


def mount(client: httpx.Client, case: Case) -> bool:
    """Into another repository, with its source named and looked for; otherwise the client is to upload it."""
    path, digest = f"/v2/{TARGET}/blobs/uploads/", Digest.of(case.blob)
    asked = ({"mount": digest, "from": TEAM}, {"mount": digest})
    return agree({client.post(path, params=params).status_code for params in asked}, 201)


def entry(client: httpx.Client, case: Case) -> bool:
    """Whether the manifest is listed among the referrers of its subject, which nobody has pushed."""
    answer = client.get(f"/v2/{TEAM}/referrers/{SUBJECT}")
    listed = answer.json().get("manifests", []) if answer.status_code == 200 else []
    return case.digest in {item["digest"] for item in listed}


def referrers(method: str) -> Probe:
    """The list of what refers to it."""

    def probe(client: httpx.Client, case: Case) -> bool:
        answer = client.request(method, f"/v2/{TEAM}/referrers/{case.digest}")
        if method == "GET" and answer.status_code == 200:
            kinds = [item["artifactType"] for item in answer.json()["manifests"]]
            assert kinds.count(BUNDLE_TYPE) == (case.stands not in _NOT_ATTESTED) == len(kinds) - 1
        return answer.status_code == 200

    return probe


def signature(client: httpx.Client, case: Case) -> bool:
    """What refers to it: its manifest by tag and digest, and its blob, by GET and HEAD."""
    made = case.signature
    names = (f"manifests/signature-{case.name}", f"manifests/{made.digest}", f"blobs/{Digest.of(made.layers[0])}")
    paths = [f"/v2/{TEAM}/{name}" for name in names]
    return agree({client.request(method, path).status_code for path in paths for method in ("GET", "HEAD")})


def verdict_tag(method: str) -> Probe:
    """The signed verdict on it, where no one has pushed anything."""

    def probe(client: httpx.Client, case: Case) -> bool:
        tag = f"{case.digest.replace(':', '-')}.att"
        return client.request(method, f"/v2/{TEAM}/manifests/{tag}").status_code == 200

    return probe


def reference(client: httpx.Client, case: Case) -> bool:
    """Whether a deployment may start from it."""
    asked = [{"reference": f"{TEAM}:{case.name}"}, {"reference": f"{TEAM}@{case.digest}"}]
    answers = [client.post("/policy/v1/references:check", json=each) for each in asked]
    found = {answer.status_code == 200 and answer.json()["allowed"] is True for answer in answers}
    assert len(found) == 1
    return found.pop()


def attributes(method: str) -> Probe:
    """What is told of the manifest beside its content, alone and in lists, by digest and by tag."""

    def probe(client: httpx.Client, case: Case) -> bool:
        place = f"/acr/v1/{TEAM}"
        paths = (f"/_manifests/{case.digest}", f"/_tags/{case.name}", "/_manifests", "/_tags")
        return agree({client.request(method, f"{place}{path}").status_code for path in paths})

    return probe


def unchanged(client: httpx.Client, case: Case) -> bool:
    """The answer to a change of them that changes nothing."""
    paths = (f"/_manifests/{case.digest}", f"/_tags/{case.name}")
    return agree({client.patch(f"/acr/v1/{TEAM}{path}", json={}).status_code for path in paths})


def deployment(client: httpx.Client, case: Case) -> bool:
    """Whether a deployment from it is recorded, which gives a receipt."""
    host = client.base_url.netloc.decode()
    config = {"entryScript": "score.py", "runtime": "python", "baseImage": f"{host}/{TEAM}:{case.name}"}
    asked = {"name": f"from-{case.name}", "models": ["m:1"], "inferenceConfig": config}
    answer = client.post("/policy/v1/deployments", json={**asked, "deploymentConfig": {"computeType": "local"}})
    if answer.status_code == 201:
        assert client.get(f"/policy/v1/deployments/{answer.json()['deployment']['id']}").json()["receipt"]
    return answer.status_code == 201


def reviewed(client: httpx.Client, case: Case) -> bool:
    """Whether Kubernetes' plugin lets a Pod start from it, by tag and by digest."""
    base = f"{client.base_url.netloc.decode()}/{TEAM}"
    asked = [image_review(name) for name in (f"{base}:{case.name}", f"{base}@{case.digest}")]
    answers = [client.post("/policy/v1/imagereview", json=each) for each in asked]
    return agree({200 if each.status_code == 200 and each.json()["status"]["allowed"] else 403 for each in answers})


def admits(path: str) -> Probe:
    """Whether a webhook admits a Pod of it, as a container and as a volume, and pins it then."""

    def probe(client: httpx.Client, case: Case) -> bool:
        image = f"{client.base_url.netloc.decode()}/{TEAM}:{case.name}"
        volume = {"volumes": [{"name": "v", "image": {"reference": image}}]}
        specs = ({"containers": [{"name": "c", "image": image}]}, volume)
        answers = [client.post(path, json=admission_review(pod(spec))) for spec in specs]
        responses = [each.json()["response"] for each in answers if each.status_code == 200]
        assert all(("patch" in each) is each["allowed"] for each in responses)
        return agree({200 if each["allowed"] else 403 for each in responses} or {401})

    return probe


def page(client: httpx.Client, case: Case) -> bool:
    """Whether a page tells what it consists of, by tag and by digest, as HTML and as JSON; a HEAD tells nothing."""
    names = [f"/r/{TEAM}:{case.name}", f"/r/{TEAM}@{case.digest}"]
    assert not any(client.head(name).content for name in names)
    documents = [client.get(f"{name}.json") for name in names]
    shown = {each.status_code == 200 and not each.json()["withheld"] for each in documents}
    pages = [client.get(name) for name in names]
    shown |= {each.status_code == 200 and "are withheld from you" not in each.text for each in pages}
    assert len(shown) == 1
    return shown.pop()


def compared(client: httpx.Client, case: Case) -> bool:
    """Whether a comparison of it with itself tells what it consists of."""
    asked = {"from": case.name, "to": case.digest}
    assert not client.head(f"/compare/{TEAM}", params=asked).content
    answer = client.get(f"/compare/{TEAM}.json", params=asked)
    return answer.status_code == 200 and answer.json()["comparison"]["withheld"] == ["", ""]


def administered(client: httpx.Client, case: Case) -> bool:
    """Whether an administrator is told what it consists of, by tag and by digest."""
    names = (case.name, case.digest)
    assert not any(client.head(f"{_ADMIN}/_manifests/{name}").content for name in names)
    answers = [client.get(f"{_ADMIN}/_manifests/{name}") for name in names]
    return agree({200 if each.status_code == 200 and not each.json()["withheld"] else 403 for each in answers})


def history(method: str) -> Probe:
    """Whether the history of its tag tells of it."""

    def probe(client: httpx.Client, case: Case) -> bool:
        answer = client.request(method, f"/v2/{TEAM}/_oci/tag-history/{case.name}")
        if method == "HEAD":
            assert not answer.content
            answer = client.get(f"/v2/{TEAM}/_oci/tag-history/{case.name}")
        told = answer.json().get("manifests", []) if answer.status_code == 200 else []
        return case.digest in {entry["digest"] for entry in told}

    return probe


def past(method: str) -> Probe:
    """Whether an administrator is told what its tag pointed at, in all and at one time."""

    def probe(client: httpx.Client, case: Case) -> bool:
        path, then = f"{_ADMIN}/_tags/{case.name}/_history", {"at": exact_timestamp(time.time())}
        if method == "HEAD":
            assert not any(client.head(path, params=params).content for params in ({}, then))
        entries = client.get(path).json().get("entries", [])
        told = (case.digest in {entry["digest"] for entry in entries}, client.get(path, params=then).status_code == 200)
        return agree({200 if each else 404 for each in told})

    return probe


def rolled_back(client: httpx.Client, case: Case) -> bool:
    """Whether its tag can be pointed at it again, which changes nothing."""
    answer = client.post(f"{_ADMIN}/_tags/{case.name}/_rollback", json={"to": case.digest})
    assert answer.status_code != 200 or answer.json()["before"] == case.digest
    return answer.status_code == 200


def told_of_blob(client: httpx.Client, case: Case) -> bool:
    """Whether events tell of its blob: to those who may push, whatever its state."""
    asked = {"kind": "blob.pushed", "repository": TEAM, "after": "0"}
    assert not client.head("/policy/v1/events", params=asked).content
    found: set[str] = set()
    more = True
    while more:
        answer = client.get("/policy/v1/events", params=asked)
        if answer.status_code != 200:
            return False
        page = answer.json()
        found |= {event["digest"] for event in page["events"]}
        asked["after"], more = page["next"], page["more"]
    return Digest.of(case.blob) in found


def layer_page(client: httpx.Client, case: Case) -> bool:
    """Whether the page of the blob names an image that it is part of, as HTML and as JSON."""
    path = f"/layers/{Digest.of(case.blob)}"
    assert not client.head(path).content
    answers = [client.get(each) for each in (path, f"{path}.json")]
    return agree({each.status_code for each in answers})


def found_by_layer(client: httpx.Client, case: Case) -> bool:
    """Whether a search for the blob among layers finds an image."""
    asked = f"/policy/v1/images?layer%3D{quote(Digest.of(case.blob))}&kind%7E*"
    assert not client.head(asked).content
    answer = client.get(asked)
    return answer.status_code == 200 and bool(answer.json()["images"])


def shown_by_layer(client: httpx.Client, case: Case) -> bool:
    """Whether the page of that search shows one."""
    where = f"layer={Digest.of(case.blob)} kind~*"
    assert not client.head("/search", params={"where": where}).content
    answer = client.get("/search.json", params={"where": where})
    return answer.status_code == 200 and bool(answer.json()["images"])


@dataclass(frozen=True, slots=True)
class Column:
    """One door as callers meet it.

    Attributes:
        door: what the decision calls it; `None` where the state of what is behind it does not matter.
        routes: the methods and operations that it goes through.
        probe: whether it is open.
    """

    door: AccessPoint | None
    routes: frozenset[tuple[str, str]]
    probe: Probe


def column(door: AccessPoint | None, probe: Probe, *routes: tuple[str, str]) -> Column:
    """A column."""
    return Column(door, frozenset(routes), probe)


_EXPORT = (("GET", "manifests.pull"), ("GET", "blobs.pull"), ("GET", "referrers.page"))
_ADMIN = f"/admin/v1/repositories/{TEAM}"
_ATTRIBUTES = ("acr.show_manifest", "acr.show_tag", "acr.list_manifests", "acr.list_tags")
COLUMNS: Mapping[str, Column] = {
    "manifest GET": column(AccessPoint.MANIFEST, manifest("GET"), ("GET", "manifests.pull")),
    "manifest HEAD": column(AccessPoint.MANIFEST, manifest("HEAD"), ("HEAD", "manifests.pull")),
    "blob GET": column(AccessPoint.BLOB, blob("GET"), ("GET", "blobs.pull")),
    "blob HEAD": column(AccessPoint.BLOB, blob("HEAD"), ("HEAD", "blobs.pull")),
    "blob Range": column(AccessPoint.BLOB, blob_part, ("GET", "blobs.pull")),
    "mount": column(AccessPoint.BLOB, mount, ("POST", "uploads.start")),
    "entry of a list": column(AccessPoint.REFERRERS, entry, ("GET", "referrers.page")),
    "referrers GET": column(AccessPoint.REFERRERS, referrers("GET"), ("GET", "referrers.page")),
    "referrers HEAD": column(AccessPoint.REFERRERS, referrers("HEAD"), ("HEAD", "referrers.page")),
    "referrer": column(AccessPoint.MANIFEST, signature, ("GET", "manifests.pull"), ("GET", "blobs.pull")),
    "verdict GET": column(AccessPoint.MANIFEST, verdict_tag("GET"), ("GET", "manifests.pull")),
    "verdict HEAD": column(AccessPoint.MANIFEST, verdict_tag("HEAD"), ("HEAD", "manifests.pull")),
    "reference": column(AccessPoint.REFERENCE, reference, ("POST", "routes.check")),
    "attributes GET": column(None, attributes("GET"), *(("GET", each) for each in _ATTRIBUTES)),
    "attributes HEAD": column(None, attributes("HEAD"), *(("HEAD", each) for each in _ATTRIBUTES)),
    "attributes PATCH": column(None, unchanged, ("PATCH", "acr.change_tag"), ("PATCH", "acr.change_manifest")),
    "page": column(AccessPoint.MANIFEST, page, ("GET", "web.place"), ("HEAD", "web.place")),
    "page of two": column(AccessPoint.MANIFEST, compared, ("GET", "web.compare"), ("HEAD", "web.compare")),
    "administration": column(
        AccessPoint.MANIFEST, administered, ("GET", "admin.show_manifest"), ("HEAD", "admin.show_manifest")
    ),
    "tag history GET": column(AccessPoint.REFERRERS, history("GET"), ("GET", "tags.history")),
    "tag history HEAD": column(AccessPoint.REFERRERS, history("HEAD"), ("HEAD", "tags.history")),
    "past of a tag GET": column(AccessPoint.REFERRERS, past("GET"), ("GET", "admin.show_tag_history")),
    "past of a tag HEAD": column(AccessPoint.REFERRERS, past("HEAD"), ("HEAD", "admin.show_tag_history")),
    "rollback": column(None, rolled_back, ("POST", "admin.roll_tag_back")),
    "events of blobs": column(None, told_of_blob, ("GET", "events.read"), ("HEAD", "events.read")),
    "layer page": column(AccessPoint.MANIFEST, layer_page, ("GET", "web.layer"), ("HEAD", "web.layer")),
    "layer search": column(AccessPoint.MANIFEST, found_by_layer, ("GET", "images.search"), ("HEAD", "images.search")),
    "layer search page": column(AccessPoint.MANIFEST, shown_by_layer, ("GET", "web.search"), ("HEAD", "web.search")),
    "export": column(AccessPoint.MANIFEST, export, *_EXPORT),
    "deployment": column(AccessPoint.REFERENCE, deployment, ("POST", "deployments.record")),
    "image review": column(AccessPoint.REFERENCE, reviewed, ("POST", "kubernetes.review_images")),
    "admission": column(
        AccessPoint.REFERENCE, admits("/policy/v1/admission?mutate=digest"), ("POST", "kubernetes.admit")
    ),
    "admission pinned": column(
        AccessPoint.REFERENCE, admits("/policy/v1/admission/digest"), ("POST", "kubernetes.pin")
    ),
}


def expected(name: str, case: Case, role: str, mode: str) -> bool:
    """A signed verdict leaves as its image does, where there is one; a tag is rolled back to what may be pushed."""
    if name == "rollback":
        return role in {"owner", "pusher"} and (mode != "reject" or case.stands in _OPEN | {State.PENDING})
    if name.startswith("verdict"):
        return case.stands not in _NOT_ATTESTED and open_to(name.replace("verdict", "manifest"), case, role, mode)
    return open_to(name, case, role, mode)


def open_to(name: str, case: Case, role: str, mode: str) -> bool:
    """The design's words as one rule."""
    lax, may_push = mode in {"warn", "audit"}, role in {"owner", "pusher"}
    sees_all = may_push or role == "scanner"
    if name.startswith("attributes") or (role == "deleter" and not name.startswith("past")):
        # Among the attributes is the verdict: it is there for those who may not pull.
        return name.startswith("attributes") and (may_push or not name.endswith("PATCH"))
    if COLUMNS[name].door is AccessPoint.REFERENCE:
        return case.there and (case.stands is State.CLEARED or (lax and case.stands is not State.NOT_APPLICABLE))
    if name in {"events of blobs", "mount"}:
        return may_push and (case.there or name != "mount")
    if name.startswith(("blob", "layer")):
        there = case.there or name.startswith("layer")
        return there and (case.blob_stands in _OPEN or lax or sees_all)
    if name.startswith(("manifest", "export", "page")) and not case.there:
        return False  # so that clients push the image again
    return case.stands in _OPEN or lax or sees_all
