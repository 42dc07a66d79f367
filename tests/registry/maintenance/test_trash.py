"""What collections and deletes have removed can be brought back for a while."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.maintenance.copying import copy_rows
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.ageing import age
from tests.registry.damages import flipped
from tests.registry.open_rooms import (
    PUSHER,
    REPOSITORY,
    OpenRooms,
    descriptor,
    image,
    open_rooms,
)

V1 = Tag("v1")
LARGE = b"large" * 100_000
IMAGE = image([b"small", LARGE])


def command(data: Path, *words: str) -> Result:
    """Run one on the folder."""
    return CliRunner().invoke(basegate, [*words, "--data", str(data)])


def seen(rooms: OpenRooms) -> set[Digest]:
    """What is there of the image."""

    async def there() -> set[Digest]:
        return {blob.digest async for blob in rooms.storage.blobs()}

    return rooms.run(there())


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[OpenRooms]:
    """A folder with a tagged image and its signature."""
    with open_rooms(tmp_path, gc={"untagged_after_seconds": 3600}) as rooms:
        rooms.run(rooms.push_image(V1, [b"small", LARGE]))
        rooms.run(rooms.push_manifest(image((), subject=descriptor(IMAGE))))
        yield rooms


def test_the_last_collection_is_undone(rooms: OpenRooms) -> None:
    """Files, links and manifests; the tag was no work of the collection."""
    before = seen(rooms)
    rooms.run(rooms.manifests.delete(REPOSITORY, V1))
    age(rooms)
    report = rooms.run(rooms.collector.run())
    assert (report.manifests, report.blobs, seen(rooms)) == (2, 3, set())
    result = command(rooms.data, "gc", "undo", "--json")
    assert (result.exit_code, json.loads(result.stdout)["manifests"]) == (0, 2)
    assert seen(rooms) == before
    assert rooms.run(rooms.manifests.pull(PUSHER, REPOSITORY, Digest.of(IMAGE))).raw == IMAGE
    rooms.run(rooms.collector.run())
    assert seen(rooms) == before


def delete_tag(rooms: OpenRooms) -> None:
    """The tag alone."""
    rooms.run(rooms.manifests.delete(REPOSITORY, V1))


def delete_manifest(rooms: OpenRooms) -> None:
    """The manifest with its tag."""
    rooms.run(rooms.manifests.delete(REPOSITORY, Digest.of(IMAGE)))


def delete_repository(rooms: OpenRooms) -> None:
    """Everything."""
    assert command(rooms.data, "repo", "rm", "--yes", str(REPOSITORY)).exit_code == 0


@pytest.mark.parametrize("delete", [delete_tag, delete_manifest, delete_repository])
@pytest.mark.parametrize("collected", [False, True])
def test_a_delete_is_undone(rooms: OpenRooms, delete: Callable[[OpenRooms], None], collected: bool) -> None:
    """Also when a collection has taken the files since; the image can be pulled by its tag again."""
    delete(rooms)
    run = json.loads(command(rooms.data, "trash", "ls", "--json").stdout)[0]["name"]
    if collected:
        age(rooms)
        rooms.run(rooms.collector.run())
        assert command(rooms.data, "gc", "undo").exit_code == 0
    assert command(rooms.data, "trash", "restore", run).exit_code == 0
    assert rooms.run(rooms.manifests.pull(PUSHER, REPOSITORY, V1)).raw == IMAGE
    assert rooms.run(rooms.blobs.pull(PUSHER, REPOSITORY, Digest.of(LARGE))).size == len(LARGE)


def test_a_tag_that_points_elsewhere_by_now_stays(rooms: OpenRooms) -> None:
    """It is named: exit code 1."""
    delete_manifest(rooms)
    rooms.run(rooms.push_image(V1, [b"other"]))
    run = json.loads(command(rooms.data, "trash", "ls", "--json").stdout)[0]["name"]
    assert command(rooms.data, "trash", "restore", run).exit_code == 1
    assert rooms.run(rooms.manifests.pull(PUSHER, REPOSITORY, V1)).raw == image([b"other"])


def test_what_was_damaged_in_the_trash_does_not_come_back(rooms: OpenRooms) -> None:
    """It is named, the rest is there."""
    delete_manifest(rooms)
    age(rooms)
    rooms.run(rooms.collector.run())
    flipped(rooms.data / "trash" / Digest.of(LARGE).replace(":", "-"))
    result = command(rooms.data, "gc", "undo")
    assert (result.exit_code, Digest.of(LARGE) in result.stdout) == (1, True)


@pytest.mark.parametrize("emptied", [["trash", "empty"], []])
def test_an_emptied_trash_frees_the_space(rooms: OpenRooms, emptied: list[str]) -> None:
    """By command, or because nothing is to be kept: then there is nothing to undo."""
    if not emptied:
        rooms.configure(gc={"undo_seconds": 0})
    delete_manifest(rooms)
    age(rooms)
    rooms.run(rooms.collector.run())
    if emptied:
        assert command(rooms.data, *emptied).exit_code == 0
    assert list((rooms.data / "trash").iterdir()) == []
    assert command(rooms.data, "gc", "undo").exit_code == 2


def test_the_copy_of_the_rows_follows(rooms: OpenRooms) -> None:
    """What was brought back is there after a rebuild as well."""
    delete_manifest(rooms)
    copy_rows(rooms.data)
    run = json.loads(command(rooms.data, "trash", "ls", "--json").stdout)[0]["name"]
    command(rooms.data, "trash", "restore", run)
    copy_rows(rooms.data)
    rooms.close()
    for path in rooms.data.glob("registry.db*"):
        path.unlink()
    assert command(rooms.data, "rebuild").exit_code == 0
    with open_rooms(rooms.data) as again:
        assert again.run(again.manifests.pull(PUSHER, REPOSITORY, V1)).raw == IMAGE
