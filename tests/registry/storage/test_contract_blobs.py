"""What every store promises of its blobs (`registry.storage.blob_store`)."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, ContentTooLarge, DigestInvalid
from registry.storage.blob_store import BlobStore, StoredBlob
from tests.registry.storage.stores import CONTENT, Kind, staged, whole


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("announced", ["sha256", "sha512"])
@pytest.mark.parametrize("content", [b"", b"x", CONTENT])
def test_a_committed_upload_is_a_blob(store: BlobStore, content: bytes, algorithm: str, announced: str) -> None:
    """Its size and bytes are those staged, whatever algorithm was announced."""

    async def scenario() -> None:
        staging = await staged(store, content[:1000], content[1000:], algorithm=announced)
        blob = await staging.commit(digest := Digest.of(content, algorithm))
        assert (blob.digest, blob.size, await whole(store, digest)) == (digest, len(content), content)

    asyncio.run(scenario())


def test_a_wrong_digest_stores_nothing(store: BlobStore) -> None:
    """Neither the announced nor the real digest is there afterwards, and the staging bytes are gone."""

    async def scenario() -> None:
        staging = await staged(store, b"content")
        with pytest.raises(DigestInvalid):
            await staging.commit(Digest.of(b"other"))
        assert [await store.stat(Digest.of(text)) for text in (b"content", b"other")] == [None, None]
        assert [upload async for upload in store.uploads()] == []

    asyncio.run(scenario())


def test_a_second_commit_of_the_same_content_stands(store: BlobStore) -> None:
    """Committing what the store holds already succeeds and makes its age start again."""

    async def scenario() -> None:
        first = await (await staged(store, b"same")).commit(Digest.of(b"same"))
        second = await (await staged(store, b"same")).commit(Digest.of(b"same"))
        assert second.modified > first.modified
        assert await whole(store, Digest.of(b"same")) == b"same"

    asyncio.run(scenario())


def test_concurrent_commits_of_the_same_content_all_stand(store: BlobStore) -> None:
    """Ten uploads of one blob at once give one blob."""

    async def scenario() -> None:
        uploads = [await staged(store, CONTENT) for _ in range(10)]
        stored = await asyncio.gather(*(upload.commit(Digest.of(CONTENT)) for upload in uploads))
        assert all(blob.still_there() for blob in stored)
        assert [blob.digest async for blob in store.blobs()] == [Digest.of(CONTENT)]
        assert await whole(store, Digest.of(CONTENT)) == CONTENT

    asyncio.run(scenario())


def test_what_was_stored_is_there_while_the_same_is_stored_again(store: BlobStore) -> None:
    """Whoever records it later records something that is there; not so when it was removed."""

    async def scenario() -> None:
        first = await store.put(digest := Digest.of(b"{}"), b"{}")
        await store.put(digest, b"{}")
        assert first.still_there()
        store.delete(digest)
        assert not first.still_there()

    asyncio.run(scenario())


def test_put_stores_small_content(store: BlobStore) -> None:
    """It comes back whole; a second put of the same makes its age start again."""

    async def scenario() -> None:
        digest = Digest.of(b"{}")
        first = await store.put(digest, b"{}")
        second = await store.put(digest, b"{}")
        assert await store.get(digest, 100) == b"{}"
        assert second.modified >= first.modified

    asyncio.run(scenario())


def test_get_knows_its_limit(store: BlobStore) -> None:
    """Content past the maximum is refused, absent content is `None`."""

    async def scenario() -> None:
        await store.put(Digest.of(b"large"), b"large")
        with pytest.raises(ContentTooLarge):
            await store.get(Digest.of(b"large"), 4)
        assert await store.get(Digest.of(b"absent"), 4) is None

    asyncio.run(scenario())


def test_get_forgets_what_is_deleted(store: BlobStore) -> None:
    """Content that was got before is not remembered past its end, and its limit holds each time."""

    async def scenario() -> None:
        await store.put(digest := Digest.of(b"content"), b"content")
        assert await store.get(digest, 7) == b"content"
        with pytest.raises(ContentTooLarge):
            await store.get(digest, 6)
        store.delete(digest)
        assert await store.get(digest, 7) is None

    asyncio.run(scenario())


def test_a_deleted_blob_is_gone(store: BlobStore) -> None:
    """Stat, get and a second delete find nothing; a read says that it is unknown."""

    async def scenario() -> None:
        blob = await store.put(digest := Digest.of(b"x"), b"x")
        assert [store.delete(digest), store.delete(digest)] == [True, False]
        assert await store.stat(digest) is None
        assert not blob.still_there()
        with pytest.raises(BlobUnknown):
            await anext(store.read(blob, 0, 1))

    asyncio.run(scenario())


def test_delete_spares_what_is_young(store: BlobStore) -> None:
    """With a time, only an older commit is removed."""

    async def scenario() -> None:
        blob = await store.put(digest := Digest.of(b"x"), b"x")
        assert store.delete(digest, blob.modified - 1) is False
        assert await whole(store, digest) == b"x"
        assert store.delete(digest, blob.modified + 1) is True

    asyncio.run(scenario())


def test_all_blobs_are_listed(store: BlobStore) -> None:
    """Of both algorithms, with their sizes."""

    async def scenario() -> None:
        contents = [bytes([number]) * number for number in range(1, 20)]
        for content in contents:
            await store.put(Digest.of(content, "sha512" if len(content) % 2 else "sha256"), content)
        listed = sorted([blob.size async for blob in store.blobs()])
        assert listed == [len(content) for content in contents]

    asyncio.run(scenario())


@pytest.fixture(scope="module")
def filled(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlobStore]:
    """A store that holds CONTENT."""
    with ThreadPoolExecutor(2) as pool:
        store = kind.make(tmp_path_factory.mktemp("filled"), pool)
        asyncio.run(store.put(Digest.of(CONTENT), CONTENT))
        yield store


@settings(max_examples=30, deadline=None)
@given(start=st.integers(0, len(CONTENT)), length=st.integers(0, len(CONTENT)))
def test_a_read_gives_the_window_that_was_asked_for(filled: BlobStore, start: int, length: int) -> None:
    """Any window, clipped at the end of the content."""
    assert asyncio.run(whole(filled, Digest.of(CONTENT), start, length)) == CONTENT[start : start + length]


def opened(blob: StoredBlob) -> bytes:
    """The bytes behind the descriptor of an opened blob."""
    with os.fdopen(blob.open().descriptor, "rb") as file:
        return file.read()


@pytest.mark.parametrize("content", [b"", b"x", CONTENT])
def test_an_opened_blob_is_a_whole_file(store: BlobStore, content: bytes) -> None:
    """Its descriptor begins at the first byte and ends at the last."""
    blob = asyncio.run(store.put(Digest.of(content), content))
    assert opened(blob) == content


def test_an_opened_blob_tells_which_it_is(store: BlobStore) -> None:
    """Its stamp is that of the blob as the store tells of it."""

    async def scenario() -> None:
        await store.put(digest := Digest.of(b"x"), b"x")
        blob = await store.stat(digest)
        assert blob is not None
        descriptor, stamp, _ = blob.open()
        os.close(descriptor)
        assert stamp == blob.stamp

    asyncio.run(scenario())


def test_a_blob_stays_open_when_it_is_deleted(store: BlobStore) -> None:
    """Whoever reads it reads it to its end."""

    async def scenario() -> None:
        blob = await store.put(digest := Digest.of(CONTENT), CONTENT)
        with os.fdopen(blob.open().descriptor, "rb") as file:
            store.delete(digest)
            assert file.read() == CONTENT

    asyncio.run(scenario())


def test_a_blob_that_has_gone_cannot_be_opened(store: BlobStore) -> None:
    """It is not found, and nothing is open."""

    async def scenario() -> None:
        blob = await store.put(digest := Digest.of(b"x"), b"x")
        store.delete(digest)
        with pytest.raises(FileNotFoundError):
            blob.open()

    asyncio.run(scenario())


def test_a_blob_that_was_stored_again_is_another(store: BlobStore) -> None:
    """What was looked at before is not there any more, though the same bytes are."""

    async def scenario() -> None:
        await store.put(digest := Digest.of(b"x"), b"x")
        before = await store.stat(digest)
        await store.put(digest, b"x")
        after = await store.stat(digest)
        assert before is not None
        assert after is not None
        assert [before.still_there(), after.still_there()] == [False, True]

    asyncio.run(scenario())


def test_only_a_path_to_the_very_bytes_is_told(store: BlobStore) -> None:
    """A store without files tells of none, and of the blob all the same."""

    async def scenario() -> None:
        await store.put(digest := Digest.of(b"x"), b"x")
        blob = await store.stat(digest)
        assert blob is not None
        assert blob.path is None or blob.path.read_bytes() == b"x"

    asyncio.run(scenario())
