"""Signed verdicts over HTTP: where they are, what they say, and that nobody has pushed them."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from policy.attestation.types import BUNDLE_TYPE, PREDICATE_TYPE
from registry.oci.digest import Digest
from tests.clients.trees import cleared_image, refused_image
from tests.policy.attestation.published import (
    REPOSITORY,
    bundle,
    envelopes,
    get,
    referrers,
    result,
    statement,
    tag_of,
)
from tests.policy.live import LiveGateway, live_gateway


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server."""
    with live_gateway(tmp_path_factory.mktemp("verdicts") / "data") as gateway:
        yield gateway


@pytest.fixture(scope="module")
def admin(live: LiveGateway) -> Iterator[httpx.Client]:
    """Its owner."""
    with live.client("admin") as client:
        yield client


@pytest.fixture(scope="module")
def cleared(live: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of an image that is cleared."""
    return live.push(tmp_path_factory.mktemp("cleared"), f"{REPOSITORY}:good", cleared_image())


@pytest.fixture(scope="module")
def refused(live: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of an image that is refused."""
    return live.push(tmp_path_factory.mktemp("refused"), f"{REPOSITORY}:bad", refused_image())


def test_a_cleared_image_has_passed(admin: httpx.Client, cleared: str) -> None:
    """In both forms, at once after the push."""
    assert result(admin, cleared) == "PASSED"


def test_a_refused_image_has_failed(admin: httpx.Client, refused: str) -> None:
    """In both forms, at once after the push."""
    assert result(admin, refused) == "FAILED"


def test_a_statement_is_a_verification_summary(admin: httpx.Client, cleared: str) -> None:
    """Its type, its subject, and the members that SLSA wants."""
    said = statement(bundle(admin, cleared)["dsseEnvelope"])
    assert (said["_type"], said["predicateType"]) == ("https://in-toto.io/Statement/v1", PREDICATE_TYPE)
    assert said["subject"] == [{"digest": {"sha256": cleared.partition(":")[2]}}]
    predicate = said["predicate"]
    assert predicate["verifier"]["id"].startswith("urn:uuid:")
    assert predicate["resourceUri"] == f"oci:{REPOSITORY}@{cleared}"
    assert predicate["verifiedLevels"] == ["BASEGATE_AZUREML_2019_07"]
    assert len(predicate["policy"]["digest"]["sha256"]) == 64
    assert predicate["policy"]["uri"] == f"{predicate['verifier']['id']}#policy-azureml-2019-07"


def test_an_index_and_every_child_have_their_own(live: LiveGateway, admin: httpx.Client, tmp_path: Path) -> None:
    """A verifier asks for the digest that it was given."""
    images = (cleared_image("one"), cleared_image("two", "arm64"))
    index = live.push(tmp_path, f"{REPOSITORY}:both", *images)
    children = [item["digest"] for item in json.loads(get(admin, f"manifests/{index}"))["manifests"]]
    assert [result(admin, digest) for digest in (index, *children)] == ["PASSED"] * 3


def test_the_list_of_referrers_says_what_the_manifest_says(admin: httpx.Client, cleared: str) -> None:
    """Type, size, annotations; and a filter by its type finds it."""
    (entry,) = referrers(admin, cleared)
    answer = admin.get(f"/v2/{REPOSITORY}/manifests/{entry['digest']}")
    assert Digest.of(answer.content) == entry["digest"] == answer.headers["docker-content-digest"]
    assert (len(answer.content), answer.headers["content-type"]) == (entry["size"], entry["mediaType"])
    assert answer.json()["annotations"] == entry["annotations"]
    asked = {"artifactType": BUNDLE_TYPE}
    assert admin.get(f"/v2/{REPOSITORY}/referrers/{cleared}", params=asked).json()["manifests"] == [entry]
    asked = {"artifactType": "application/vnd.other"}
    assert admin.get(f"/v2/{REPOSITORY}/referrers/{cleared}", params=asked).json()["manifests"] == []


def test_everything_has_the_digest_it_is_asked_by(admin: httpx.Client, cleared: str) -> None:
    """Every manifest and blob of both forms, by GET and HEAD, and parts of blobs."""
    named = [f"manifests/{entry['digest']}" for entry in referrers(admin, cleared)]
    named.append(f"manifests/{Digest.of(get(admin, f'manifests/{tag_of(cleared)}'))}")
    for path in list(named):
        manifest = json.loads(get(admin, path))
        named += [f"blobs/{each['digest']}" for each in (manifest["config"], *manifest["layers"])]
    for path in named:
        content = get(admin, path)
        head = admin.head(f"/v2/{REPOSITORY}/{path}")
        assert Digest.of(content) == path.partition("/")[2]
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(content)))
    part = admin.get(f"/v2/{REPOSITORY}/{named[-1]}", headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, get(admin, named[-1])[1:4])


def test_the_tag_is_served_and_never_listed(admin: httpx.Client, cleared: str) -> None:
    """By GET and HEAD; tags/list has what was pushed."""
    assert len(envelopes(admin, cleared)) == 1
    assert admin.head(f"/v2/{REPOSITORY}/manifests/{tag_of(cleared)}").status_code == 200
    assert tag_of(cleared) not in admin.get(f"/v2/{REPOSITORY}/tags/list").json()["tags"]


@pytest.mark.parametrize("digest", [f"sha256:{'0' * 64}", f"sha256:{'f' * 64}"])
def test_what_is_not_there_has_no_tag(admin: httpx.Client, cleared: str, digest: str) -> None:
    """A digest that nobody has pushed."""
    assert admin.get(f"/v2/{REPOSITORY}/manifests/{tag_of(digest)}").status_code == 404


def test_an_artifact_has_none(admin: httpx.Client) -> None:
    """The policy says nothing of what is no image, so that nothing is attested of it."""
    path = f"/v2/{REPOSITORY}/blobs/uploads/"
    empty = b"{}"
    admin.put(admin.post(path).headers["location"], params={"digest": Digest.of(empty)}, content=empty)
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest.of(empty), "size": 2}
    kind = "application/vnd.oci.image.manifest.v1+json"
    document = {"schemaVersion": 2, "mediaType": kind, "artifactType": "a/b", "config": config, "layers": [config]}
    raw = json.dumps(document).encode()
    put = admin.put(f"/v2/{REPOSITORY}/manifests/chart", content=raw, headers={"Content-Type": kind})
    assert put.status_code == 201
    assert referrers(admin, str(Digest.of(raw))) == []
    assert admin.get(f"/v2/{REPOSITORY}/manifests/{tag_of(str(Digest.of(raw)))}").status_code == 404


def test_a_push_that_names_its_blobs_makes_them_stored(admin: httpx.Client, cleared: str) -> None:
    """Clients upload nothing that a HEAD has found: cosign and copies push manifests about them."""
    raw = json.loads(get(admin, f"manifests/{tag_of(cleared)}"))
    pushed = json.dumps({**raw, "annotations": {"by": "somebody"}}).encode()
    kind = {"Content-Type": raw["mediaType"]}
    assert admin.put(f"/v2/{REPOSITORY}/manifests/theirs", content=pushed, headers=kind).status_code == 201
    assert get(admin, "manifests/theirs") == pushed
