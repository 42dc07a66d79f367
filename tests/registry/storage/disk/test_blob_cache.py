"""Copies of blobs in the data folder: which are there, and which give way."""

from pathlib import Path

import pytest

from registry.oci.digest import Digest, new_hasher
from registry.storage.disk.blob_cache import BlobCache, GrowingCopy
from registry.storage.disk.reserve import DiskReserve

BLOB = bytes(range(100))
TOO_MUCH = 1 << 62
"""Bytes that no disk has."""


@pytest.fixture
def cache(tmp_path: Path) -> BlobCache:
    """One with room for three blobs of 100 bytes."""
    cache = BlobCache(tmp_path / "cache", DiskReserve(tmp_path))
    cache.fit(300)
    return cache


def take(cache: BlobCache, tmp_path: Path, name: str, size: int = 100) -> Digest:
    """Give it a file."""
    content = name.encode() * size
    file = tmp_path / "upload"
    file.write_bytes(content[:size])
    digest = Digest.of(content[:size])
    cache.take(file, digest, size)
    assert not file.exists()
    return digest


def held(tmp_path: Path) -> int:
    """How many files its folder has."""
    return len(list((tmp_path / "cache").iterdir()))


def begun(cache: BlobCache, content: bytes) -> GrowingCopy:
    """The copy of a blob that is being made."""
    copy = cache.begin(Digest.of(content), len(content))
    assert copy is not None
    return copy


def read(copy: GrowingCopy, content: bytes, piece: int = 25) -> None:
    """Be sent so much of the blob, from its beginning, in pieces."""
    hasher = new_hasher("sha256")
    for at in range(0, len(content), piece):
        hasher.update(content[at : at + piece])
        copy.write(at, content[at : at + piece], hasher)


def test_what_it_takes_is_found(cache: BlobCache, tmp_path: Path) -> None:
    """With its bytes."""
    found = cache.find(take(cache, tmp_path, "a"))
    assert found is not None
    assert (found[0].read_bytes(), cache.size) == (b"a" * 100, 100)


def test_the_least_used_goes_first(cache: BlobCache, tmp_path: Path) -> None:
    """Being found, and being sent, count as use."""
    found, sent, neither = (take(cache, tmp_path, name) for name in "abc")
    cache.find(found)
    cache.touch(sent)
    take(cache, tmp_path, "d")
    assert [cache.find(each) is None for each in (found, sent, neither)] == [False, False, True]


def test_it_holds_no_more_than_it_may(cache: BlobCache, tmp_path: Path) -> None:
    """However many come."""
    for name in "abcdefgh":
        take(cache, tmp_path, name)
    assert (cache.size, held(tmp_path)) == (300, 3)


@pytest.mark.parametrize("size", [301, TOO_MUCH])
def test_what_has_no_room_at_all_moves_nothing(cache: BlobCache, tmp_path: Path, size: int) -> None:
    """Larger than the cache, or than the disk."""
    digest, file = take(cache, tmp_path, "a"), tmp_path / "large"
    file.touch()
    cache.take(file, Digest.of(b"large"), size)
    assert (cache.find(Digest.of(b"large")), cache.find(digest) is None, file.exists()) == (None, False, False)


def test_half_of_the_free_room_stays_free(tmp_path: Path) -> None:
    """Whatever the setting says."""
    reserve = DiskReserve(tmp_path)
    cache = BlobCache(tmp_path / "cache", reserve)
    cache.fit(TOO_MUCH)
    assert cache.begin(Digest.of(b"a"), reserve.free() * 3 // 4) is None


def test_a_smaller_setting_makes_room(cache: BlobCache, tmp_path: Path) -> None:
    """At once."""
    first, second = take(cache, tmp_path, "a"), take(cache, tmp_path, "b")
    cache.fit(150)
    assert (cache.find(first), cache.find(second) is None, held(tmp_path)) == (None, False, 1)


def test_none_is_a_setting(cache: BlobCache, tmp_path: Path) -> None:
    """Nothing is there, and nothing is taken."""
    take(cache, tmp_path, "a")
    cache.fit(0)
    assert (cache.find(take(cache, tmp_path, "b")), held(tmp_path)) == (None, 0)


def test_before_a_server_has_begun_nothing_is_touched(cache: BlobCache, tmp_path: Path) -> None:
    """A command on the folder of a running server has the same store."""
    digest = take(cache, tmp_path, "a")
    other = BlobCache(tmp_path / "cache", DiskReserve(tmp_path))
    assert (other.find(digest), other.find(take(other, tmp_path, "b")), held(tmp_path)) == (None, None, 1)


@pytest.mark.parametrize("maximum", [0, 300])
def test_a_start_begins_without(cache: BlobCache, tmp_path: Path, maximum: int) -> None:
    """What an earlier process left may have been lost with the power."""
    digest = take(cache, tmp_path, "a")
    (tmp_path / "cache" / "unfinished.part").touch()
    other = BlobCache(tmp_path / "cache", DiskReserve(tmp_path))
    other.fit(maximum)
    assert (other.find(digest), held(tmp_path)) == (None, 0)


def test_a_file_that_was_changed_is_no_copy(cache: BlobCache, tmp_path: Path) -> None:
    """It goes."""
    digest = take(cache, tmp_path, "a")
    found = cache.find(digest)
    assert found is not None
    found[0].chmod(0o600)
    found[0].write_bytes(b"b" * 100)
    assert (cache.find(digest), held(tmp_path), cache.size) == (None, 0, 0)


@pytest.mark.parametrize("content", [b"a" * 100, b"b" * 100])
def test_a_copy_is_read_again(cache: BlobCache, tmp_path: Path, content: bytes) -> None:
    """One that has rotted goes."""
    digest = take(cache, tmp_path, "a")
    place = next((tmp_path / "cache").iterdir())
    place.chmod(0o600)
    place.write_bytes(content)
    cache.check(digest, lambda _bytes: None)
    assert cache.size == (100 if Digest.of(content) == digest else 0)


def test_a_copy_grows_while_its_bytes_pass(cache: BlobCache, tmp_path: Path) -> None:
    """It counts when all of them have come."""
    copy = begun(cache, BLOB)
    read(copy, BLOB[:99])
    assert (cache.find(copy.digest), held(tmp_path)) == (None, 1)
    read(copy, BLOB)
    copy.leave()
    found = cache.find(copy.digest)
    assert found is not None
    assert (found[0].read_bytes(), held(tmp_path)) == (BLOB, 1)


def test_a_copy_that_nobody_reads_to_its_end_goes(cache: BlobCache, tmp_path: Path) -> None:
    """And another may be made."""
    copy = begun(cache, BLOB)
    read(copy, BLOB[:50])
    copy.leave()
    assert (cache.find(copy.digest), held(tmp_path)) == (None, 0)
    assert begun(cache, BLOB) is not copy


def test_one_copy_is_made_at_a_time(cache: BlobCache) -> None:
    """By all who read the blob, until the last of them has left."""
    copy = begun(cache, BLOB)
    assert begun(cache, BLOB) is copy
    copy.leave()
    assert begun(cache, BLOB) is copy


@pytest.mark.parametrize("piece", [1, 7, 25, 100])
def test_who_is_ahead_makes_the_copy(cache: BlobCache, tmp_path: Path, piece: int) -> None:
    """Whatever pieces it is sent, and whether the one that it has overtaken goes on or leaves."""
    copy = begun(cache, BLOB)
    read(copy, BLOB[:30])
    assert begun(cache, BLOB) is copy
    read(copy, BLOB, piece)
    read(copy, BLOB[:60])
    found = cache.find(copy.digest)
    assert found is not None
    assert (found[0].read_bytes(), held(tmp_path)) == (BLOB, 1)


@pytest.mark.parametrize("sent", [(b"wrong", BLOB), (BLOB[:30], b"x" * 100), (b"wrong" * 20,)])
def test_a_copy_of_other_bytes_is_none(cache: BlobCache, tmp_path: Path, sent: tuple[bytes, ...]) -> None:
    """Whoever was sent them: the store may have been wrong once."""
    copy = begun(cache, BLOB)
    for each in sent:
        read(copy, each)
    assert (cache.find(copy.digest), held(tmp_path)) == (None, 0)


def test_a_copy_that_cannot_be_written_is_given_up(cache: BlobCache, tmp_path: Path) -> None:
    """Whoever is sent the bytes notices nothing."""
    copy = begun(cache, BLOB)
    (tmp_path / "cache").rmdir()
    read(copy, BLOB)
    copy.leave()
    assert cache.find(copy.digest) is None


def test_a_folder_that_has_gone_costs_no_push(cache: BlobCache, tmp_path: Path) -> None:
    """The file goes where there is no place for it."""
    (tmp_path / "cache").rmdir()
    assert cache.find(take(cache, tmp_path, "a")) is None


def test_a_folder_that_has_gone_is_made_again(cache: BlobCache, tmp_path: Path) -> None:
    """Somebody needed the room: a start is not needed."""
    (tmp_path / "cache").rmdir()
    cache.fit(300)
    assert cache.find(take(cache, tmp_path, "a")) is not None


def test_a_folder_of_somebody_else_stays(cache: BlobCache, tmp_path: Path) -> None:
    """And nothing ends for it."""
    (tmp_path / "cache" / "lost+found").mkdir()
    other = BlobCache(tmp_path / "cache", DiskReserve(tmp_path))
    other.fit(300)
    assert (other.find(take(other, tmp_path, "a")) is not None, held(tmp_path)) == (True, 2)


def test_copies_that_are_being_made_count(cache: BlobCache) -> None:
    """As if all of their bytes were here."""
    assert cache.begin(Digest.of(b"a"), 200) is not None
    assert cache.begin(Digest.of(b"b"), 200) is None
    assert cache.begin(Digest.of(b"c"), 100) is not None


def test_a_copy_that_does_not_grow_gives_its_room(tmp_path: Path) -> None:
    """To another that needs it; and the bytes that still come are dropped."""
    cache = BlobCache(tmp_path / "cache", DiskReserve(tmp_path), stalled_seconds=0)
    cache.fit(150)
    stalled = begun(cache, BLOB)
    read(stalled, BLOB[:99])
    other = begun(cache, BLOB[::-1])
    read(stalled, BLOB)
    stalled.leave()
    read(other, BLOB[::-1])
    assert (cache.find(stalled.digest), cache.find(other.digest) is None, held(tmp_path)) == (None, False, 1)


def test_what_is_too_large_for_the_cache_ends_no_copy(tmp_path: Path) -> None:
    """However long that one has not grown."""
    cache = BlobCache(tmp_path / "cache", DiskReserve(tmp_path), stalled_seconds=0)
    cache.fit(150)
    copy = begun(cache, BLOB)
    assert cache.begin(Digest.of(b"large"), 151) is None
    read(copy, BLOB)
    assert cache.find(copy.digest) is not None


def test_a_smaller_setting_ends_copies_that_are_being_made(cache: BlobCache, tmp_path: Path) -> None:
    """At once; and the bytes that still come are dropped."""
    copy = begun(cache, BLOB)
    read(copy, BLOB[:50])
    cache.fit(1)
    assert held(tmp_path) == 0
    read(copy, BLOB)
    copy.leave()
    assert (cache.find(copy.digest), held(tmp_path)) == (None, 0)


def test_what_cannot_be_removed_is_no_copy(cache: BlobCache, tmp_path: Path) -> None:
    """Somebody has put a folder in its place; no pull ends for it."""
    digest = take(cache, tmp_path, "a")
    place = next((tmp_path / "cache").iterdir())
    place.unlink()
    place.mkdir()
    assert (cache.find(digest), cache.size) == (None, 0)


def test_a_copy_that_cannot_be_read_again_goes(cache: BlobCache, tmp_path: Path) -> None:
    """The scrub goes on."""
    digest = take(cache, tmp_path, "a")
    place = next((tmp_path / "cache").iterdir())
    place.unlink()
    place.mkdir()
    cache.check(digest, lambda _bytes: None)
    assert cache.size == 0
