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
from tests.registry.open_rooms import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenRooms,
    descriptor,
    image,
    index,
    open_rooms,
)

SUBJECT = b"the subject, which is nowhere"
TYPE = "application/vnd.example.signature"


def page(  # noqa: PLR0917
    rooms: OpenRooms,
    kind: str = "",
    n: int | None = None,
    last: str = "",
    subject: Digest = Digest.of(SUBJECT),  # noqa: B008
    repository: RepositoryName = REPOSITORY,
) -> ReferrersPage:
    """A page of referrers."""
    return rooms.run(rooms.referrers.page(PUSHER, repository, subject, kind, n, last))


def attach(rooms: OpenRooms, repository: RepositoryName = REPOSITORY, **members: Any) -> Digest:
    """Push an image manifest that refers to the subject."""
    rooms.run(rooms.push_blob(b"{}", repository))
    raw = image((), subject=descriptor(SUBJECT), **members)
    return rooms.run(rooms.push_manifest(raw, None, repository)).digest


def entries(part: ReferrersPage) -> list[dict[str, Any]]:
    """Its entries as a client reads them."""
    return [json.loads(entry) for entry in part.entries]


def test_a_referrer_is_listed_with_its_descriptor(rooms: OpenRooms) -> None:
    """Media type, size, digest, type and all annotations."""
    digest = attach(rooms, artifactType=TYPE, annotations={"one": "1", "zwei": "ü"})
    raw = rooms.run(rooms.metadata.read(content, REPOSITORY, digest))
    assert entries(page(rooms)) == [
        {
            "mediaType": media_types.OCI_MANIFEST,
            "size": len(raw or b""),
            "digest": digest,
            "artifactType": TYPE,
            "annotations": {"one": "1", "zwei": "ü"},
        }
    ]


@pytest.mark.parametrize("text", ['"},{"', "\\", "\u2028\x7f\n", "ü\N{GRINNING FACE}", "</x>", "{}", ""])
def test_whatever_a_referrer_says_is_quoted(rooms: OpenRooms, text: str) -> None:
    """An entry is JSON in ASCII as Python writes it, with type and annotations as they were pushed."""
    attach(rooms, artifactType=f"t{text}", annotations={f"k{text}": text})
    (entry,) = page(rooms).entries
    read = json.loads(entry)
    assert (read["artifactType"], read["annotations"]) == (f"t{text}", {f"k{text}": text})
    assert entry == json.dumps(read)


def test_an_image_without_a_type_shows_that_of_its_config(rooms: OpenRooms) -> None:
    """As the specification says."""
    attach(rooms)
    assert entries(page(rooms))[0]["artifactType"] == media_types.OCI_CONFIG


def test_an_index_without_a_type_shows_none(rooms: OpenRooms) -> None:
    """The member is left out."""
    rooms.run(rooms.push_manifest(index(subject=descriptor(SUBJECT))))
    assert "artifactType" not in entries(page(rooms))[0]


def test_the_list_can_be_filtered_by_type(rooms: OpenRooms) -> None:
    """Only those of the type come."""
    wanted = attach(rooms, artifactType=TYPE)
    attach(rooms, artifactType="application/vnd.example.sbom")
    assert [entry["digest"] for entry in entries(page(rooms, TYPE))] == [wanted]


def test_an_unknown_subject_or_repository_has_none(rooms: OpenRooms) -> None:
    """An empty page, no error."""
    attach(rooms)
    assert entries(page(rooms, subject=Digest.of(b"other"))) == []
    assert entries(page(rooms, repository=RepositoryName("absent"))) == []


def test_referrers_stay_in_their_repository(rooms: OpenRooms) -> None:
    """Those of another repository are not listed."""
    attach(rooms, OTHER)
    assert entries(page(rooms)) == []


def test_a_sha512_subject_is_found(rooms: OpenRooms) -> None:
    """Under the digest that the referrer names."""
    digest = Digest.of(SUBJECT, "sha512")
    attach(rooms)
    rooms.run(rooms.push_manifest(image((), subject=descriptor(SUBJECT) | {"digest": digest})))
    assert len(page(rooms, subject=digest).entries) == 1


def test_a_deleted_referrer_is_not_listed(rooms: OpenRooms) -> None:
    """At once."""
    rooms.run(rooms.manifests.delete(REPOSITORY, attach(rooms)))
    assert entries(page(rooms)) == []


def test_the_list_survives_its_subject(rooms: OpenRooms) -> None:
    """Deleting the subject leaves its referrers."""
    subject = rooms.run(rooms.push_image())
    rooms.run(rooms.push_manifest(image((), subject=descriptor(image()))))
    rooms.run(rooms.manifests.delete(REPOSITORY, subject.digest))
    assert len(page(rooms, subject=subject.digest).entries) == 1


@pytest.mark.parametrize("n", [1, 2, 16, 100])
@pytest.mark.parametrize("kind", ["", TYPE])
def test_pages_make_up_the_list(rooms: OpenRooms, n: int, kind: str) -> None:
    """Each referrer once, in the order of digests, with a filter or without."""
    wanted = sorted(attach(rooms, artifactType=TYPE, annotations={"n": str(number)}) for number in range(20))
    found: list[str] = []
    part = page(rooms, kind, n)
    while part.more:
        found += [entry["digest"] for entry in entries(part)]
        part = page(rooms, kind, n, part.last)
    assert found + [entry["digest"] for entry in entries(part)] == wanted


def test_a_page_ends_before_it_grows_too_large(rooms: OpenRooms) -> None:
    """The limit counts bytes of JSON; every page holds at least one entry."""
    rooms.configure(limits={"referrers_page_bytes": 65_536})
    for number in range(5):
        attach(rooms, annotations={"n": str(number), "long": "x" * 30_000})
    attach(rooms, annotations={"longer": "x" * 100_000})
    pages = [page(rooms)]
    while pages[-1].more:
        pages.append(page(rooms, last=pages[-1].last))
    counts = [len(part.entries) for part in pages]
    assert sum(counts) == 6
    assert set(counts) <= {1, 2}


def test_one_look_holds_a_bounded_part_of_the_list(rooms: OpenRooms) -> None:
    """Rows with large annotations come a few at a time; the list has them all."""
    rooms.configure(limits={"referrers_page_bytes": 4_000_000})
    for number in range(5):
        attach(rooms, annotations={"n": str(number), "long": "x" * 600_000})
    look = rooms.run(rooms.metadata.read(referrers.page, REPOSITORY, Digest.of(SUBJECT), "", after="", count=500))
    assert len(look) == 2
    assert len(page(rooms).entries) == 5


def test_what_the_gate_withholds_is_not_listed(tmp_path: Path) -> None:
    """Its annotations are content, too."""
    gate = GateOfTests()
    with open_rooms(tmp_path, gate) as rooms:
        hidden, shown = attach(rooms, artifactType="hidden"), attach(rooms)
        gate.refused.add(hidden)
        assert [entry["digest"] for entry in entries(page(rooms))] == [shown]
