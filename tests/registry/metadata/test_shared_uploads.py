"""The rows of uploads that nodes share, on each engine: claims, bytes that count, ends."""

from registry.metadata import shared_uploads as rows
from registry.metadata.shared_uploads import Piece, SharedUpload
from registry.oci.digest import Digest
from tests.registry.open_services import OpenServices

UPLOAD = "11111111-1111-4111-8111-111111111111"
FIRST, SECOND = Piece(0, 3, "", b"abc"), Piece(3, 9, "3-x", b"")
DIGEST = Digest.of(b"")


def opened(services: OpenServices, upload: str = UPLOAD, started: float = 5.0) -> None:
    """An upload that somebody has opened."""
    row = SharedUpload(upload, "team/app", "sha256", "somebody", started)
    assert services.run(services.metadata.write(rows.add, row, 0, started))


def claimed(services: OpenServices, by: str, seconds: float = 100.0) -> bool:
    """Whether a request gets it."""
    return services.run(services.metadata.write(rows.claim, UPLOAD, by, seconds))[1]


def grown(services: OpenServices, by: str, *pieces: Piece) -> bool:
    """Whether the bytes that a request has brought count."""
    return services.run(services.metadata.write(rows.grow, UPLOAD, by, pieces, 6.0))


def size_of(services: OpenServices) -> int:
    """How many bytes it has."""
    found = services.run(services.metadata.read(rows.find, UPLOAD))
    assert found is not None
    return found.size


def test_one_request_has_it_at_a_time(services: OpenServices) -> None:
    """Until it lets go, or its claim ends."""
    opened(services)
    assert [claimed(services, "one"), claimed(services, "two")] == [True, False]
    assert services.run(services.metadata.read(rows.is_held, UPLOAD))
    services.run(services.metadata.write(rows.release, UPLOAD, "one"))
    assert [claimed(services, "two", -1.0), claimed(services, "three")] == [True, True]


def test_a_claim_that_was_lost_is_not_renewed(services: OpenServices) -> None:
    """One that nobody else has taken is, also after its end."""
    opened(services)
    assert claimed(services, "one", -1.0)
    assert services.run(services.metadata.write(rows.renew, UPLOAD, "one", -1.0))
    assert claimed(services, "two")
    assert not services.run(services.metadata.write(rows.renew, UPLOAD, "one", 100.0))


def test_bytes_count_with_a_claim_alone(services: OpenServices) -> None:
    """And end it; they are found in their order."""
    opened(services)
    assert claimed(services, "one", -1.0)
    assert claimed(services, "two")
    assert [grown(services, "one", FIRST), grown(services, "two", FIRST), size_of(services)] == [False, True, 3]
    assert claimed(services, "one")
    assert grown(services, "one", SECOND)
    assert services.run(services.metadata.read(rows.pieces_from, UPLOAD, 0, 10)) == [FIRST, SECOND]
    assert services.run(services.metadata.read(rows.pieces_from, UPLOAD, 3, 10)) == [SECOND]


def test_an_end_names_the_objects_that_nobody_needs(services: OpenServices) -> None:
    """And what it became is remembered."""
    opened(services)
    for piece in (FIRST, SECOND):
        assert claimed(services, "one")
        assert grown(services, "one", piece)
    assert claimed(services, "one")
    assert services.run(services.metadata.write(rows.end, UPLOAD, "two", DIGEST, 7.0)) == []
    assert services.run(services.metadata.write(rows.end, UPLOAD, "one", DIGEST, 7.0)) == ["3-x"]
    found = services.run(services.metadata.read(rows.these, [UPLOAD, "other"]))
    assert {upload: row.digest for upload, row in found.items()} == {UPLOAD: DIGEST}
    assert not claimed(services, "one")


def test_what_nobody_goes_on_with_expires(services: OpenServices) -> None:
    """Not what a request works on, nor what is younger."""
    others = [f"{number}{UPLOAD[1:]}" for number in (2, 3)]
    for upload, started in zip([UPLOAD, *others], (5.0, 5.0, 50.0), strict=True):
        opened(services, upload, started)
    assert claimed(services, "one")
    assert services.run(services.metadata.write(rows.expire, 10.0, 100)) == [others[0]]


def test_so_many_outcomes_are_remembered(services: OpenServices) -> None:
    """The newest."""
    uploads = [f"{number}{UPLOAD[1:]}" for number in range(4)]
    for number, upload in enumerate(uploads):
        opened(services, upload)
        services.run(services.metadata.write(rows.claim, upload, "one", 100.0))
        services.run(services.metadata.write(rows.end, upload, "one", DIGEST, float(number)))
    assert services.run(services.metadata.write(rows.forget_outcomes, 3)) == 1
    assert services.run(services.metadata.read(rows.these, uploads)).keys() == set(uploads[1:])
    assert services.run(services.metadata.write(rows.forget_outcomes, 3)) == 0


def test_a_principal_has_so_many_open(services: OpenServices) -> None:
    """Those that are over do not count."""
    opened(services)
    another = SharedUpload(f"2{UPLOAD[1:]}", "team/app", "sha256", "somebody", 5.0)
    assert not services.run(services.metadata.write(rows.add, another, 1, 5.0))
    assert claimed(services, "one")
    services.run(services.metadata.write(rows.end, UPLOAD, "one", rows.CANCELLED, 7.0))
    assert services.run(services.metadata.write(rows.add, another, 1, 5.0))


def test_what_came_whole_is_noted_when_it_is_over(services: OpenServices) -> None:
    """One that had no row gets one; where bytes have come meanwhile, the row stays as it is."""
    another = f"2{UPLOAD[1:]}"
    opened(services)
    assert claimed(services, "one")
    assert grown(services, "one", FIRST)
    for upload in (UPLOAD, another):
        ended = SharedUpload(upload, "team/app", "sha256", "somebody", 5.0, digest=DIGEST)
        services.run(services.metadata.write(rows.add_ended, ended, 7.0))
    found = services.run(services.metadata.read(rows.these, [UPLOAD, another]))
    assert [found[upload].digest for upload in (UPLOAD, another)] == ["", DIGEST]


def test_what_came_whole_ends_what_is_claimed(services: OpenServices) -> None:
    """The request that has the claim is told that it has lost it."""
    opened(services)
    assert claimed(services, "one")
    ended = SharedUpload(UPLOAD, "team/app", "sha256", "somebody", 5.0, digest=DIGEST)
    services.run(services.metadata.write(rows.add_ended, ended, 7.0))
    assert not grown(services, "one", FIRST)
