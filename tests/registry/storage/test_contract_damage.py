"""What every store promises of damaged, collected and reserved (`registry.storage.blob_store`)."""

import asyncio
import os
import time
from collections.abc import Callable

import pytest

from registry.oci.digest import Digest
from registry.storage.blob_store import BlobStore, Damaged
from registry.storage.file_stamp import Stamp

GOOD, BAD = b"sound", b"rotten"
DIGEST = Digest.of(GOOD)
Spoil = Callable[[Digest, bytes], object]


@pytest.fixture
def spoiled(store: BlobStore, spoil: Spoil) -> BlobStore:
    """A store with other bytes under a digest."""
    asyncio.run(store.put(DIGEST, GOOD))
    spoil(DIGEST, BAD)
    return store


def stamp_of(store: BlobStore) -> Stamp:
    """The stamp of the blob as it is now."""
    blob = asyncio.run(store.stat(DIGEST))
    assert blob is not None
    descriptor, stamp, _ = blob.open()
    os.close(descriptor)
    return stamp


def test_damaged_bytes_are_not_handed_out(spoiled: BlobStore) -> None:
    """Whoever says what size the blob has is told that it is not there."""
    assert asyncio.run(spoiled.stat(DIGEST, len(GOOD))) is None


def test_damage_of_the_same_size_is_found_too(store: BlobStore, spoil: Spoil) -> None:
    """The bytes of a small blob are read before it is handed out."""
    asyncio.run(store.put(DIGEST, GOOD))
    spoil(DIGEST, GOOD[::-1])
    assert asyncio.run(store.stat(DIGEST, len(GOOD))) is None


def test_what_is_found_damaged_is_held(spoiled: BlobStore) -> None:
    """It is withheld, and listed until it is healed."""
    before = spoiled.quarantine.generation()
    asyncio.run(spoiled.stat(DIGEST, len(GOOD)))
    assert spoiled.quarantine.held() == [Damaged(DIGEST, is_manifest=False)]
    assert spoiled.quarantine.withheld() == {DIGEST}
    assert spoiled.quarantine.found == 1
    assert spoiled.quarantine.generation() != before


def test_a_push_heals(spoiled: BlobStore) -> None:
    """The same content stored again is handed out, and no damage is told of."""
    asyncio.run(spoiled.stat(DIGEST, len(GOOD)))
    asyncio.run(spoiled.put(DIGEST, GOOD))
    assert asyncio.run(spoiled.stat(DIGEST, len(GOOD))) is not None
    assert spoiled.quarantine.held() == []
    assert spoiled.quarantine.withheld() == frozenset()


def test_what_was_seen_damaged_is_set_aside(spoiled: BlobStore) -> None:
    """By whoever has read it, as an inspection worker does."""
    assert spoiled.quarantine.set_aside(DIGEST, stamp_of(spoiled), "it is rotten")
    assert asyncio.run(spoiled.stat(DIGEST)) is None


def test_what_has_taken_its_place_is_not(spoiled: BlobStore) -> None:
    """A push that comes between the look and the setting aside stands."""
    seen = stamp_of(spoiled)
    asyncio.run(spoiled.put(DIGEST, GOOD))
    assert not spoiled.quarantine.set_aside(DIGEST, seen, "it was rotten")
    assert asyncio.run(spoiled.get(DIGEST, 100)) == GOOD


def test_what_is_not_there_cannot_be_set_aside(store: BlobStore) -> None:
    """Nothing is told of then."""
    assert not store.quarantine.set_aside(DIGEST, Stamp(1, 1, 1, 1), "it is rotten")
    assert store.quarantine.held() == []


def test_a_missing_blob_is_news_once(store: BlobStore) -> None:
    """And is withheld until it is pushed or nobody needs it."""
    assert [store.quarantine.note_missing(DIGEST) for _ in range(2)] == [True, False]
    assert store.quarantine.withheld() == {DIGEST}
    store.quarantine.forget(Damaged(DIGEST, is_manifest=False))
    assert store.quarantine.held() == []


def test_a_damaged_manifest_is_held_until_it_is_whole(store: BlobStore) -> None:
    """Its bytes are with the rows: no blob heals it."""
    for _ in range(2):
        store.quarantine.note_manifest(DIGEST, BAD, "its row has other bytes")
    asyncio.run(store.put(DIGEST, GOOD))
    assert store.quarantine.held() == [Damaged(DIGEST, is_manifest=True)]
    assert (store.quarantine.found, store.quarantine.withheld()) == (1, frozenset())
    store.quarantine.manifest_is_whole(DIGEST)
    assert store.quarantine.held() == []


def test_what_was_collected_comes_back(store: BlobStore) -> None:
    """Young, so that its rows have time to come back too; once."""
    asyncio.run(store.put(DIGEST, GOOD))
    before = time.time()
    store.delete(DIGEST, keep=True)
    assert [store.trash.recover(DIGEST) for _ in range(2)] == [True, False]
    blob = asyncio.run(store.stat(DIGEST))
    assert blob is not None
    assert blob.modified >= before - 0.1  # file systems tell the time in steps


def test_what_was_removed_for_good_does_not(store: BlobStore) -> None:
    """Nothing was kept of it."""
    asyncio.run(store.put(DIGEST, GOOD))
    store.delete(DIGEST)
    assert not store.trash.recover(DIGEST)


def test_damaged_bytes_do_not_come_back(spoiled: BlobStore) -> None:
    """What is in the trash is looked at first."""
    spoiled.delete(DIGEST, keep=True)
    assert not spoiled.trash.recover(DIGEST)


def test_the_trash_is_emptied_by_age(store: BlobStore) -> None:
    """What came before a time goes, what came after stays."""
    asyncio.run(store.put(DIGEST, GOOD))
    store.delete(DIGEST, keep=True)
    assert store.trash.empty(time.time() - 60) == 0
    assert store.trash.empty(time.time() + 60) == 1
    assert not store.trash.recover(DIGEST)


def test_without_a_wish_there_is_room(store: BlobStore) -> None:
    """Nothing is kept then, nothing is missing, and content is taken."""
    assert store.reserve.keep()
    store.reserve.require()
    assert (store.reserve.given_up, store.reserve.problems()) == (False, [])
    assert store.reserve.free() > 0


def test_what_is_in_the_trash_can_be_listed_and_read(store: BlobStore) -> None:
    """Nothing that is not there, and not what was brought back."""
    asyncio.run(store.put(DIGEST, GOOD))
    assert list(store.trash.kept()) == []
    store.delete(DIGEST, keep=True)
    assert list(store.trash.kept()) == [DIGEST]
    assert b"".join(store.trash.read(DIGEST)) == GOOD
    assert store.trash.recover(DIGEST)
    assert list(store.trash.kept()) == []
    with pytest.raises(FileNotFoundError):
        list(store.trash.read(DIGEST))
