"""What every store promises of uploads (`registry.storage.blob_store.Staging`)."""

import asyncio
import time
import uuid

import pytest

from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown, DigestInvalid
from registry.storage.blob_store import BlobStore
from tests.registry.storage.stores import kept, opening, staged, whole


def test_an_upload_goes_on_in_another_process(store: BlobStore) -> None:
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


def test_an_upload_is_invisible_until_its_commit(store: BlobStore) -> None:
    """The full bytes in staging are not yet a blob."""

    async def scenario() -> None:
        staging = await staged(store, b"content")
        assert await store.stat(Digest.of(b"content")) is None
        assert [blob async for blob in store.blobs()] == []
        await staging.abort()

    asyncio.run(scenario())


def test_staged_bytes_can_be_read_by_others(store: BlobStore) -> None:
    """All of what was written so far, or a part of it."""

    async def scenario() -> None:
        staging = await staged(store, b"con", b"tent")
        assert (staging.size, staging.read_at(0, 100), staging.read_at(2, 3)) == (7, b"content", b"nte")

    asyncio.run(scenario())


def test_a_staging_path_has_the_bytes(store: BlobStore) -> None:
    """Where a store has files, other processes can read the bytes while they come."""

    async def scenario() -> None:
        staging = await staged(store, b"con", b"tent")
        assert staging.path is None or staging.path.read_bytes() == b"content"

    asyncio.run(scenario())


def test_a_new_upload_takes_the_place_of_the_one_before(store: BlobStore) -> None:
    """Of the same id: nothing of the earlier bytes counts."""

    async def scenario() -> None:
        upload, before = await kept(store, b"before")
        before.release()
        again = await store.stage(upload, opening())
        assert again.size == 0
        await again.append([b"after"])
        await again.commit(Digest.of(b"after"))
        assert await whole(store, Digest.of(b"after")) == b"after"

    asyncio.run(scenario())


def test_an_upload_that_was_not_kept_ends_with_its_process(store: BlobStore) -> None:
    """A later one does not find it."""

    async def scenario() -> None:
        upload = str(uuid.uuid4())
        await (await store.stage(upload, opening())).append([b"content"])
        with pytest.raises(BlobUploadUnknown):
            await store.stage(upload)

    asyncio.run(scenario())


def test_bytes_that_were_to_end_an_upload_are_taken_back(store: BlobStore) -> None:
    """A later process finds a kept upload as it was before its last request, which was cut."""

    async def scenario() -> None:
        upload, first = await kept(store, b"first ")
        first.last(Digest.of(b"first second"))
        await first.append([b"sec"])
        first.release()
        second = await store.stage(upload)
        assert (second.size, second.committed) == (6, None)

    asyncio.run(scenario())


def test_a_cut_last_request_can_be_made_again(store: BlobStore) -> None:
    """From where the upload was before it."""

    async def scenario() -> None:
        upload, first = await kept(store, b"first ")
        first.last(digest := Digest.of(b"first second"))
        await first.append([b"sec"])
        first.release()
        second = await store.stage(upload)
        second.last(digest)
        await second.append([b"second"])
        await second.commit(digest)
        assert await whole(store, digest) == b"first second"

    asyncio.run(scenario())


def test_a_later_process_learns_of_a_commit(store: BlobStore) -> None:
    """Until it is forgotten, whoever made the last request can be told of the blob."""

    async def scenario() -> None:
        upload, first = await kept(store, b"first ")
        first.last(digest := Digest.of(b"first second"))
        await first.append([b"second"])
        await first.commit(digest)
        assert (await store.stage(upload)).committed == digest

    asyncio.run(scenario())


def test_a_forgotten_commit_is_known_to_nobody(store: BlobStore) -> None:
    """Its blob stays, the upload is not listed."""

    async def scenario() -> None:
        upload, first = await kept(store, b"content")
        await first.commit(digest := Digest.of(b"content"))
        await first.forget()
        with pytest.raises(BlobUploadUnknown):
            await store.stage(upload)
        assert [name async for name, _ in store.uploads()] == []
        assert await whole(store, digest) == b"content"

    asyncio.run(scenario())


def test_a_wrong_digest_ends_a_kept_upload(store: BlobStore) -> None:
    """It opens no blob to whoever only names one."""

    async def scenario() -> None:
        upload, first = await kept(store, b"content")
        with pytest.raises(DigestInvalid):
            await first.commit(Digest.of(b"other"))
        with pytest.raises(BlobUploadUnknown):
            await store.stage(upload)

    asyncio.run(scenario())


def test_a_released_upload_takes_more_bytes(store: BlobStore) -> None:
    """What it had open is opened again."""

    async def scenario() -> None:
        staging = await staged(store, b"con")
        staging.release()
        await staging.append([b"tent"])
        assert (await staging.commit(Digest.of(b"content"))).size == 7

    asyncio.run(scenario())
