"""Referrers: who is listed, how, and on which page."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry.content.referrers import ReferrersPage
from registry.metadata import referrers
from registry.metadata.manifests import content
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from tests.registry.gates import GateOfTests
from tests.registry.open_services import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenServices,
    descriptor,
    image,
    index,
    open_services,
)

SUBJECT = b"the subject, which is nowhere"
TYPE = "application/vnd.example.signature"


def page(  # noqa: PLR0917
    services: OpenServices,
    kind: str = "",
    n: int | None = None,
    last: str = "",
    subject: Digest = Digest.of(SUBJECT),  # noqa: B008
    repository: RepositoryName = REPOSITORY,
) -> ReferrersPage:
    """A page of referrers."""
    return services.run(services.referrers.page(PUSHER, repository, subject, kind, n, last))


def attach(services: OpenServices, repository: RepositoryName = REPOSITORY, **members: Any) -> Digest:
    """Push an image manifest that refers to the subject."""
    services.run(services.push_blob(b"{}", repository))
    raw = image((), subject=descriptor(SUBJECT), **members)
    return services.run(services.push_manifest(raw, None, repository)).digest


def entries(part: ReferrersPage) -> list[dict[str, Any]]:
    """Its entries as a client reads them."""
    return [json.loads(entry) for entry in part.entries]


def test_a_referrer_is_listed_with_its_descriptor(services: OpenServices) -> None:
    """Media type, size, digest, type and all annotations."""
    digest = attach(services, artifactType=TYPE, annotations={"one": "1", "zwei": "ü"})
    raw = services.run(services.metadata.read(content, REPOSITORY, digest))
    assert entries(page(services)) == [
        {
            "mediaType": media_types.OCI_MANIFEST,
            "size": len(raw or b""),
            "digest": digest,
            "artifactType": TYPE,
            "annotations": {"one": "1", "zwei": "ü"},
        }
    ]


@pytest.mark.parametrize("text", ['"},{"', "\\", "\u2028\x7f\n", "ü\N{GRINNING FACE}", "</x>", "{}", ""])
def test_whatever_a_referrer_says_is_quoted(services: OpenServices, text: str) -> None:
    """An entry is JSON in ASCII as Python writes it, with type and annotations as they were pushed."""
    attach(services, artifactType=f"t{text}", annotations={f"k{text}": text})
    (entry,) = page(services).entries
    read = json.loads(entry)
    assert (read["artifactType"], read["annotations"]) == (f"t{text}", {f"k{text}": text})
    assert entry == json.dumps(read)


def test_an_image_without_a_type_shows_that_of_its_config(services: OpenServices) -> None:
    """As the specification says."""
    attach(services)
    assert entries(page(services))[0]["artifactType"] == media_types.OCI_CONFIG


def test_an_index_without_a_type_shows_none(services: OpenServices) -> None:
    """The member is left out."""
    services.run(services.push_manifest(index(subject=descriptor(SUBJECT))))
    assert "artifactType" not in entries(page(services))[0]


def test_the_list_can_be_filtered_by_type(services: OpenServices) -> None:
    """Only those of the type come."""
    wanted = attach(services, artifactType=TYPE)
    attach(services, artifactType="application/vnd.example.sbom")
    assert [entry["digest"] for entry in entries(page(services, TYPE))] == [wanted]


def test_an_unknown_subject_or_repository_has_none(services: OpenServices) -> None:
    """An empty page, no error."""
    attach(services)
    assert entries(page(services, subject=Digest.of(b"other"))) == []
    assert entries(page(services, repository=RepositoryName("absent"))) == []


def test_referrers_stay_in_their_repository(services: OpenServices) -> None:
    """Those of another repository are not listed."""
    attach(services, OTHER)
    assert entries(page(services)) == []


def test_a_sha512_subject_is_found(services: OpenServices) -> None:
    """Under the digest that the referrer names."""
    digest = Digest.of(SUBJECT, "sha512")
    attach(services)
    services.run(services.push_manifest(image((), subject=descriptor(SUBJECT) | {"digest": digest})))
    assert len(page(services, subject=digest).entries) == 1


def test_a_deleted_referrer_is_not_listed(services: OpenServices) -> None:
    """At once."""
    services.run(services.manifests.delete(REPOSITORY, attach(services)))
    assert entries(page(services)) == []


def test_the_list_survives_its_subject(services: OpenServices) -> None:
    """Deleting the subject leaves its referrers."""
    subject = services.run(services.push_image())
    services.run(services.push_manifest(image((), subject=descriptor(image()))))
    services.run(services.manifests.delete(REPOSITORY, subject.digest))
    assert len(page(services, subject=subject.digest).entries) == 1


@pytest.mark.parametrize("n", [1, 2, 16, 100])
@pytest.mark.parametrize("kind", ["", TYPE])
def test_pages_make_up_the_list(services: OpenServices, n: int, kind: str) -> None:
    """Each referrer once, in the order of digests, with a filter or without."""
    wanted = sorted(attach(services, artifactType=TYPE, annotations={"n": str(number)}) for number in range(20))
    found: list[str] = []
    part = page(services, kind, n)
    while part.more:
        found += [entry["digest"] for entry in entries(part)]
        part = page(services, kind, n, part.last)
    assert found + [entry["digest"] for entry in entries(part)] == wanted


def test_a_page_ends_before_it_grows_too_large(services: OpenServices) -> None:
    """The limit counts bytes of JSON; every page holds at least one entry."""
    services.configure(limits={"referrers_page_bytes": 65_536})
    for number in range(5):
        attach(services, annotations={"n": str(number), "long": "x" * 30_000})
    attach(services, annotations={"longer": "x" * 100_000})
    pages = [page(services)]
    while pages[-1].more:
        pages.append(page(services, last=pages[-1].last))
    counts = [len(part.entries) for part in pages]
    assert sum(counts) == 6
    assert set(counts) <= {1, 2}


def test_one_look_holds_a_bounded_part_of_the_list(services: OpenServices) -> None:
    """Rows with large annotations come a few at a time; the list has them all."""
    services.configure(limits={"referrers_page_bytes": 4_000_000})
    for number in range(5):
        attach(services, annotations={"n": str(number), "long": "x" * 600_000})
    look = services.run(services.metadata.read(referrers.page, REPOSITORY, Digest.of(SUBJECT), "", after="", count=500))
    assert len(look) == 2
    assert len(page(services).entries) == 5


def test_what_the_gate_withholds_is_not_listed(tmp_path: Path) -> None:
    """Its annotations are content, too."""
    gate = GateOfTests()
    with open_services(tmp_path, gate) as services:
        hidden, shown = attach(services, artifactType="hidden"), attach(services)
        gate.refused.add(hidden)
        assert [entry["digest"] for entry in entries(page(services))] == [shown]
