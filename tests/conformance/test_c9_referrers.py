"""Clause c9, end-12: who refers to a manifest."""

from typing import Any

import pytest

from registry.oci import media_types
from registry.oci.digest import Digest
from tests.repository import Pushed, Repository, code_of

SBOM, SIGNATURE = "application/x.sbom+json", "application/x.signature"


@pytest.fixture
def subject(repository: Repository) -> Pushed:
    """What the others refer to."""
    return repository.image("subject")


def _referrers(repository: Repository, digest: str, **query: str) -> list[dict[str, Any]]:
    answer = repository.get(f"referrers/{digest}", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == media_types.OCI_INDEX
    index = answer.json()
    assert (index["schemaVersion"], index["mediaType"]) == (2, media_types.OCI_INDEX)
    return list(index["manifests"])


def test_nobody_refers(repository: Repository, subject: Pushed) -> None:
    """An empty index: for a manifest without referrers and for an unknown digest."""
    assert _referrers(repository, subject.digest) == []
    assert _referrers(repository, Digest.of(b"unknown")) == []


def test_unknown_repository(repository: Repository) -> None:
    """Still an empty index: clients ask before the first push whether referrers are supported."""
    assert _referrers(repository, "sha256:" + "0" * 64) == []


@pytest.mark.parametrize("digest", ["sha256:short", "latest", "md5:" + "0" * 32])
def test_malformed_digest(repository: Repository, digest: str) -> None:
    """400 DIGEST_INVALID."""
    answer = repository.get(f"referrers/{digest}")
    assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")


def test_descriptor_of_an_image(repository: Repository, subject: Pushed) -> None:
    """artifactType of the manifest, and every annotation."""
    notes = {"org.example.note": "ü", "b": ""}
    sbom = repository.image(subject=subject.descriptor, artifactType=SBOM, annotations=notes)
    assert _referrers(repository, subject.digest) == [{**sbom.descriptor, "artifactType": SBOM, "annotations": notes}]


def test_descriptor_of_an_image_without_artifact_type(repository: Repository, subject: Pushed) -> None:
    """The configuration's media type stands in."""
    image = repository.image(subject=subject.descriptor)
    assert _referrers(repository, subject.digest) == [{**image.descriptor, "artifactType": media_types.OCI_CONFIG}]


def test_descriptor_of_an_index(repository: Repository, subject: Pushed) -> None:
    """An index without artifactType has none in the list."""
    index = repository.index(subject=subject.descriptor)
    assert _referrers(repository, subject.digest) == [index.descriptor]


def test_index_as_subject(repository: Repository) -> None:
    """Indexes are referred to like images."""
    index = repository.index("index")
    sbom = repository.image(subject=index.descriptor, artifactType=SBOM)
    assert [entry["digest"] for entry in _referrers(repository, index.digest)] == [sbom.digest]


def test_filter(repository: Repository, subject: Pushed) -> None:
    """Only the type that was asked for, and the header says that the filter was applied."""
    sbom = repository.image(subject=subject.descriptor, artifactType=SBOM)
    repository.image(subject=subject.descriptor, artifactType=SIGNATURE)
    answer = repository.get(f"referrers/{subject.digest}", params={"artifactType": SBOM})
    assert answer.headers["oci-filters-applied"] == "artifactType"
    assert [entry["digest"] for entry in answer.json()["manifests"]] == [sbom.digest]


def test_filter_with_a_bare_plus(repository: Repository, subject: Pushed) -> None:
    """Some clients do not encode the + of a media type."""
    repository.image(subject=subject.descriptor, artifactType=SBOM)
    answer = repository.client.get(f"{repository.url('referrers/')}{subject.digest}?artifactType={SBOM}")
    assert len(answer.json()["manifests"]) == 1


def test_without_filter_no_header(repository: Repository, subject: Pushed) -> None:
    """OCI-Filters-Applied is sent only when a filter was."""
    assert "oci-filters-applied" not in repository.get(f"referrers/{subject.digest}").headers


def test_referrers_belong_to_their_repository(repository: Repository, subject: Pushed) -> None:
    """What refers to the same digest elsewhere is not listed here."""
    repository.beside("other").image(subject=subject.descriptor, artifactType=SBOM)
    assert _referrers(repository, subject.digest) == []


def test_pages_keep_the_filter(repository: Repository, subject: Pushed) -> None:
    """`n` entries, then a Link with the same filter."""
    wanted = {
        repository.image(subject=subject.descriptor, artifactType=SBOM, annotations={"n": str(number)}).digest
        for number in range(5)
    }
    found, path = [], f"{repository.url('referrers/')}{subject.digest}?n=2&artifactType={SBOM.replace('+', '%2B')}"
    while path:
        answer = repository.client.get(path)
        found += [entry["digest"] for entry in answer.json()["manifests"]]
        path = answer.headers.get("link", "").removeprefix("<").removesuffix('>; rel="next"')
        assert not path or "artifactType=" in path
    assert (len(found), set(found)) == (5, wanted)


def test_pages_stay_below_what_clients_take(repository: Repository, subject: Pushed) -> None:
    """Clients stop reading at 4 MiB: large descriptors are spread over pages."""
    for number in range(3):
        repository.image(subject=subject.descriptor, annotations={"n": f"{number}" + "x" * 1_500_000})
    first = repository.get(f"referrers/{subject.digest}")
    assert len(first.content) < 4 * 1000 * 1000
    second = repository.client.get(first.headers["link"].removeprefix("<").removesuffix('>; rel="next"'))
    assert len(first.json()["manifests"]) + len(second.json()["manifests"]) == 3


def test_sha512_subject(repository: Repository) -> None:
    """Subjects may be named by sha512."""
    digest = Digest.of(b"strong", "sha512")
    descriptor = {"mediaType": media_types.OCI_MANIFEST, "digest": digest, "size": 6}
    sbom = repository.image(subject=descriptor, artifactType=SBOM)
    assert [entry["digest"] for entry in _referrers(repository, digest)] == [sbom.digest]


def test_deleted_referrer_is_not_listed(repository: Repository, subject: Pushed) -> None:
    """The list follows at once."""
    sbom = repository.image(subject=subject.descriptor, artifactType=SBOM)
    repository.delete(f"manifests/{sbom.digest}")
    assert _referrers(repository, subject.digest) == []


def test_list_survives_its_subject(repository: Repository, subject: Pushed) -> None:
    """Referrers stay listed when what they refer to is deleted."""
    sbom = repository.image(subject=subject.descriptor, artifactType=SBOM)
    assert repository.delete(f"manifests/{subject.digest}").status_code == 202
    assert [entry["digest"] for entry in _referrers(repository, subject.digest)] == [sbom.digest]


def _tag_schema(digest: str) -> str:
    """The tag under which clients keep a subject's referrers where a registry has no list of them."""
    return digest.replace(":", "-")


def test_content_of_the_referrers_tag_schema_is_listed(repository: Repository, subject: Pushed) -> None:
    """What clients kept in an index under `sha256-<hex>` is in the list, once, as its manifest describes itself."""
    notes = {"n": "1"}
    sbom = repository.image(subject=subject.descriptor, artifactType=SBOM, annotations=notes)
    later = repository.image(subject=subject.descriptor, artifactType=SIGNATURE)
    repository.index(_tag_schema(subject.digest), sbom)
    assert _referrers(repository, subject.digest, artifactType=SBOM) == [
        {**sbom.descriptor, "artifactType": SBOM, "annotations": notes}
    ]
    assert {entry["digest"] for entry in _referrers(repository, subject.digest)} == {sbom.digest, later.digest}


def test_tag_schema_lists_nobody_who_does_not_refer(repository: Repository, subject: Pushed) -> None:
    """Without a `subject` of this digest a manifest is no referrer, whatever an index says; nor is that index."""
    strangers = (
        repository.image(annotations={"of": "nobody"}),
        repository.image(subject=repository.blob(b"x").descriptor),
    )
    repository.index(_tag_schema(subject.digest), *strangers)
    assert _referrers(repository, subject.digest) == []


def test_tag_schema_of_what_is_gone(repository: Repository, subject: Pushed) -> None:
    """A manifest that was deleted is not listed, although the index still names it."""
    sbom = repository.image(subject=subject.descriptor, artifactType=SBOM)
    repository.index(_tag_schema(subject.digest), sbom)
    repository.delete(f"manifests/{sbom.digest}")
    assert _referrers(repository, subject.digest) == []
