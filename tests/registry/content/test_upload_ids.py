"""Ids of uploads that nodes share: what they say, and that nobody else can say it."""

import uuid

import pytest

from registry.content.upload_ids import UploadIds
from registry.storage.blob_store import Opening

OPENING = Opening("team/app", "sha512", "somebody", 1_764_580_000.0)
IDS = UploadIds("a store")


def test_an_id_says_what_an_upload_was_opened_with() -> None:
    """But by whom: that is who asks; and the part of a second."""
    upload = IDS.new(Opening("team/app", "sha512", "another", 1_764_580_000.9))
    assert IDS.opening(upload, "team/app", "somebody") == OPENING


def test_ids_are_uuids_and_differ() -> None:
    """Of version 8, in their usual form (RFC 9562)."""
    made = [IDS.new(OPENING) for _ in range(1000)]
    assert len(set(made)) == 1000
    assert {(uuid.UUID(upload).version, uuid.UUID(upload).variant) for upload in made} == {(8, uuid.RFC_4122)}
    assert all(str(uuid.UUID(upload)) == upload for upload in made)


@pytest.mark.parametrize("bit", range(128))
def test_no_bit_of_an_id_can_be_changed(bit: int) -> None:
    """Nobody was given the other one."""
    changed = uuid.UUID(int=uuid.UUID(IDS.new(OPENING)).int ^ 1 << bit)
    assert IDS.opening(str(changed), "team/app", "somebody") is None


def test_an_id_is_of_one_repository_and_registry() -> None:
    """Elsewhere nobody was given it; nor is one of chance an upload."""
    upload = IDS.new(OPENING)
    assert IDS.opening(upload, "team/other", "somebody") is None
    assert UploadIds("another store").opening(upload, "team/app", "somebody") is None
    assert IDS.opening(str(uuid.uuid4()), "team/app", "somebody") is None
