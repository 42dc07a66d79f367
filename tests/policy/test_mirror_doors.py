"""The door matrix of a repository that is filled from an upstream: from the first pull on, and afterwards.

The first pull of an image meets the gate as any later one does. Nothing of what it withholds reaches a reader by any
door, whether that door is the first to ask for the image or not.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from policy.app import build
from policy.settings import Settings
from policy.state import State
from registry.auth.enrolment import Enrolment, draft
from registry.oci import media_types
from registry.oci.digest import Digest
from tests.policy.attestation.published import result
from tests.policy.door_cases import CASES, Special
from tests.policy.door_probes import COLUMNS, expected
from tests.policy.images_made import MadeImage, bad, good, index
from tests.policy.lab import TEAM, open_lab
from tests.policy.test_doors import MODES, ROLES, wrong_cells
from tests.registry.auth.people import enrol
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry, quiet, running

# The others are made by hand in a data folder: content that is inspected no further, and a file that has gone.
COMING = {name: case for name, case in CASES.items() if name not in {State.PENDING, Special.MISSING, Special.MIXED}}
OPEN = {State.CLEARED, State.NOT_APPLICABLE}
FIRST = ("manifest GET", "manifest HEAD", "entry of a list", "referrers GET", "referrers HEAD", "referrer")
BLOBS = ("blob GET", "blob HEAD", "blob Range")
MADE: Mapping[str, Enrolment] = {name: draft(name, role) for name, role in ROLES.items()}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegistry]:
    """A registry without policies that holds every image of the matrix."""
    data = tmp_path_factory.mktemp("upstream") / "data"
    with open_lab(data) as lab:
        for case in COMING.values():
            lab.run(case.push(lab))
    with open_registry(data) as live:
        yield live


@contextmanager
def filled_from(upstream: LiveRegistry, data: Path, mode: str) -> Iterator[LiveRegistry]:
    """A registry with policies, whose team/ is filled from there."""
    entry = {"prefix": "team", "path": "team", "url": upstream.url, "local_pushes": "win", "retry_seconds": 0}
    groups = {"policy": {"mode": mode, "inspection": {"workers": 1}}, "upstreams": [entry]}
    enrol(data, *MADE.values())
    with running(build(Settings.model_validate(quiet(data, **groups)))) as live:
        yield live


def signed_in(live: LiveRegistry, name: str) -> httpx.Client:
    """A client of a principal; the caller closes it."""
    return live.client(auth=(name, MADE[name].secret()))


@pytest.mark.parametrize("first", FIRST)
def test_the_first_pull_meets_the_gate(upstream: LiveRegistry, tmp_path: Path, first: str) -> None:
    """Whatever a reader asks for first, it gets what a later pull gets, and of a withheld image nothing."""
    with filled_from(upstream, tmp_path, "enforce") as live, signed_in(live, "reader") as client:
        asked = {name: COLUMNS[first].probe(client, case) for name, case in COMING.items()}
    assert asked == {name: expected(first, case, "reader", "enforce") for name, case in COMING.items()}


@pytest.mark.parametrize("door", BLOBS)
def test_a_blob_is_no_way_in(upstream: LiveRegistry, tmp_path: Path, door: str) -> None:
    """A reader who knows the digest of a layer gets nothing before the gate has seen its image."""
    with filled_from(upstream, tmp_path, "enforce") as live, signed_in(live, "reader") as client:
        path = f"/v2/{TEAM}/blobs/{Digest.of(CASES[State.REFUSED].blob)}"
        part = {"Range": "bytes=0-3"} if door == "blob Range" else {}
        answer = client.request(door.split()[1] if part == {} else "GET", path, headers=part)
    assert answer.status_code == 404


@pytest.mark.parametrize("mode", MODES)
def test_every_cell_afterwards(upstream: LiveRegistry, tmp_path: Path, mode: str) -> None:
    """Once asked for, each door is as open for everybody as if the images had been pushed here."""
    taken = {name: case for name, case in COMING.items() if mode != "reject" or case.stands in OPEN}
    with filled_from(upstream, tmp_path, mode) as live:
        with signed_in(live, "reader") as client:
            for case in COMING.values():
                client.get(f"/v2/{TEAM}/manifests/{case.name}")
                client.get(f"/v2/{TEAM}/manifests/signature-{case.name}")
        for role in ROLES:
            with signed_in(live, role) as client:
                assert wrong_cells(client, taken, role, mode) == []


@pytest.mark.parametrize("mode", ["enforce", "reject"])
def test_every_refusal_has_the_same_words(upstream: LiveRegistry, tmp_path: Path, mode: str) -> None:
    """The first is that of the second, by tag and by digest, and says what is wrong with the image."""
    case = CASES[State.REFUSED]
    with filled_from(upstream, tmp_path, mode) as live, signed_in(live, "reader") as client:
        answers = [client.get(f"/v2/{TEAM}/manifests/{case.name}") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert "Python" in answers[0].text


def pushed(upstream: LiveRegistry, tag: str, made: Mapping[str, MadeImage]) -> None:
    """An index in the upstream, of images by platform."""
    with upstream.client() as client:
        there = Repository(client, TEAM)
        for image in made.values():
            for blob in image.blobs:
                there.blob(blob)
            there.put(image.digest, image.manifest)
        raw = index(*((image.manifest, platform) for platform, image in made.items()))
        assert there.put(tag, raw, media_types.OCI_INDEX).status_code == 201


def test_an_index_of_which_a_part_is_here(upstream: LiveRegistry, tmp_path: Path) -> None:
    """It is served when what is here of it is cleared; another of its images meets the gate when it comes."""
    other = bad()
    pushed(upstream, "mixed", {"linux/amd64": good(conda="4.5.8"), "linux/arm64": other})
    with filled_from(upstream, tmp_path, "enforce") as live, signed_in(live, "reader") as client:
        before = client.get(f"/v2/{TEAM}/manifests/mixed").status_code
        refused = client.get(f"/v2/{TEAM}/manifests/{other.digest}").status_code
        after = client.get(f"/v2/{TEAM}/manifests/mixed").status_code
    assert (before, refused, after) == (200, 403, 403)


def nested(upstream: LiveRegistry, tag: str, made: Mapping[str, MadeImage]) -> None:
    """An index in the upstream, whose only member is an index of images by platform."""
    pushed(upstream, f"{tag}-inner", made)
    inner = index(*((image.manifest, platform) for platform, image in made.items()))
    with upstream.client() as client:
        entry = {"mediaType": media_types.OCI_INDEX, "digest": Digest.of(inner), "size": len(inner)}
        outer = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [entry]}
        raw = json.dumps(outer).encode()
        assert Repository(client, TEAM).put(tag, raw, media_types.OCI_INDEX).status_code == 201


@pytest.mark.parametrize(("wanted", "status"), [(good(conda="4.5.8"), 200), (bad(), 403)], ids=["cleared", "refused"])
def test_an_index_in_an_index_of_which_a_part_is_here(
    upstream: LiveRegistry, tmp_path: Path, wanted: MadeImage, status: int
) -> None:
    """It is judged by what is here, however deep that is."""
    nested(upstream, f"nested-{status}", {"linux/amd64": wanted, "linux/arm64": good(conda="4.5.6")})
    with filled_from(upstream, tmp_path, "enforce") as live, signed_in(live, "reader") as client:
        answers = [client.get(f"/v2/{TEAM}/manifests/nested-{status}").status_code for _ in range(2)]
        reference = f"{live.host}/{TEAM}:nested-{status}"
        checked = client.post("/policy/v1/references:check", json={"reference": reference}).json()
    assert (answers, checked["allowed"]) == ([status] * 2, False)


def test_an_index_whose_wanted_image_is_refused(upstream: LiveRegistry, tmp_path: Path) -> None:
    """It is withheld from the first pull on."""
    pushed(upstream, "withheld", {"linux/amd64": bad(), "linux/arm64": good(conda="4.5.8")})
    with filled_from(upstream, tmp_path, "enforce") as live, signed_in(live, "reader") as client:
        assert [client.get(f"/v2/{TEAM}/manifests/withheld").status_code for _ in range(2)] == [403, 403]


def test_a_part_of_an_index_is_not_enough_for_a_deployment(upstream: LiveRegistry, tmp_path: Path) -> None:
    """What is not here was not judged, and a deployment could pick it."""
    pushed(upstream, "part", {"linux/amd64": good(conda="4.5.8"), "linux/arm64": good(conda="4.5.7")})
    with filled_from(upstream, tmp_path, "enforce") as live, signed_in(live, "reader") as client:
        assert client.get(f"/v2/{TEAM}/manifests/part").status_code == 200
        answer = client.post("/policy/v1/references:check", json={"reference": f"{TEAM}:part"}).json()
    assert (answer["allowed"], answer["verdict"]) == (False, "inconclusive")


def test_the_cases_are_those_of_the_matrix() -> None:
    """A state that the matrix gains is tried here as well."""
    assert {case.stands for case in COMING.values()} == set(State) - {State.PENDING}


def test_a_part_of_an_index_is_not_signed_as_passed(upstream: LiveRegistry, tmp_path: Path) -> None:
    """Whoever believes the signature may start any image of it, those that are not here too."""
    pushed(upstream, "signed", {"linux/amd64": good(conda="4.5.8"), "linux/arm64": bad()})
    with filled_from(upstream, tmp_path, "enforce") as live, signed_in(live, "reader") as client:
        answer = client.get(f"/v2/{TEAM}/manifests/signed")
        assert answer.status_code == 200
        assert result(client, answer.headers["docker-content-digest"]) == "FAILED"
