"""What every blob store promises (`registry.storage.blob_store`), shown on each of them."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown, BlobUploadUnknown, ContentTooLarge, DigestInvalid
from registry.storage.blob_store import BlobStore, Opening, Staging
from registry.storage.disk.store import DiskStore

Make = Callable[[Path, ThreadPoolExecutor], BlobStore]
STORES: tuple[Make, ...] = (DiskStore,)
CONTENT = bytes(range(256)) * 5000


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    """An empty store of each kind."""
    with ThreadPoolExecutor(4) as pool:
        yield request.param(tmp_path / "data", pool)


def opening(algorithm: str = "sha256") -> Opening:
    """What an upload is opened with."""
    return Opening("team/app", algorithm, "someone", time.time())


async def staged(store: BlobStore, *contents: bytes, algorithm: str = "sha256") -> Staging:
    """A new upload that holds some bytes."""
    staging = await store.stage(str(uuid.uuid4()), opening(algorithm))
    for content in contents:
        await staging.append([content])
    return staging


async def whole(store: BlobStore, digest: Digest, start: int = 0, length: int = 1 << 40) -> bytes:
    """Bytes of a blob through `read`."""
    blob = await store.stat(digest)
    assert blob is not None
    return b"".join([piece async for piece in store.read(blob, start, length)])


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
        await asyncio.gather(*(upload.commit(Digest.of(CONTENT)) for upload in uploads))
        assert [blob.digest async for blob in store.blobs()] == [Digest.of(CONTENT)]
        assert await whole(store, Digest.of(CONTENT)) == CONTENT

    asyncio.run(scenario())


def test_an_upload_is_invisible_until_its_commit(store: BlobStore) -> None:
    """The full bytes in staging are not yet a blob."""

    async def scenario() -> None:
        staging = await staged(store, b"content")
        assert await store.stat(Digest.of(b"content")) is None
        assert [blob async for blob in store.blobs()] == []
        await staging.abort()

    asyncio.run(scenario())


def test_staged_bytes_can_be_read_by_others(store: BlobStore) -> None:
    """The staging path holds what was written so far."""

    async def scenario() -> None:
        staging = await staged(store, b"con", b"tent")
        assert (staging.path.read_bytes(), staging.size) == (b"content", 7)

    asyncio.run(scenario())


def test_an_upload_goes_on_in_another_process(store: BlobStore, tmp_path: Path) -> None:
    """Staged again without an opening, it has its bytes and what it was opened with, and commits."""

    async def scenario() -> None:
        upload = str(uuid.uuid4())
        first = await store.stage(upload, opening("sha512"))
        await first.append([b"first "])
        await first.keep()
        first.release()
        second = await store.stage(upload)
        assert (second.size, second.opening.algorithm, second.opening.principal) == (6, "sha512", "someone")
        await second.append([b"second"])
        await second.commit(digest := Digest.of(b"first second", "sha512"))
        assert await whole(store, digest) == b"first second"

    asyncio.run(scenario())


def test_an_unknown_upload_cannot_go_on(store: BlobStore) -> None:
    """Staging an id that was never opened says so."""
    with pytest.raises(BlobUploadUnknown):
        asyncio.run(store.stage(str(uuid.uuid4())))


def test_truncated_bytes_do_not_count(store: BlobStore) -> None:
    """After taking bytes back, the digest is that of what is left and what came after."""

    async def scenario() -> None:
        staging = await staged(store, b"keep", b"drop")
        await staging.truncate(4)
        await staging.append([b"!"])
        await staging.commit(Digest.of(b"keep!"))
        assert await whole(store, Digest.of(b"keep!")) == b"keep!"

    asyncio.run(scenario())


def test_an_aborted_upload_leaves_nothing(store: BlobStore) -> None:
    """Abort may be called twice, and the upload is not listed any more."""

    async def scenario() -> None:
        staging = await staged(store, b"content")
        await staging.abort()
        await staging.abort()
        assert [upload async for upload in store.uploads()] == []

    asyncio.run(scenario())


def test_a_write_after_abort_is_refused(store: BlobStore) -> None:
    """Nothing comes back to life."""

    async def scenario() -> None:
        staging = await staged(store)
        await staging.abort()
        with pytest.raises(BlobUploadUnknown):
            await staging.append([b"late"])

    asyncio.run(scenario())


def test_uploads_are_listed_with_the_time_of_their_last_byte(store: BlobStore) -> None:
    """The time is that of the last write."""

    async def scenario() -> None:
        before = time.time() - 1
        await staged(store, b"content")
        listed = [last async for _, last in store.uploads()]
        assert [before < last < time.time() + 1 for last in listed] == [True]

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


@pytest.fixture(scope="module", params=STORES)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlobStore]:
    """A store of each kind that holds CONTENT."""
    with ThreadPoolExecutor(2) as pool:
        store: BlobStore = request.param(tmp_path_factory.mktemp("filled"), pool)
        asyncio.run(store.put(Digest.of(CONTENT), CONTENT))
        yield store


@settings(max_examples=30, deadline=None)
@given(start=st.integers(0, len(CONTENT)), length=st.integers(0, len(CONTENT)))
def test_a_read_gives_the_window_that_was_asked_for(filled: BlobStore, start: int, length: int) -> None:
    """Any window, clipped at the end of the content."""
    assert asyncio.run(whole(filled, Digest.of(CONTENT), start, length)) == CONTENT[start : start + length]
