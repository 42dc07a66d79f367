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
from tests.registry.open_services import (
    PUSHER,
    REPOSITORY,
    OpenServices,
    descriptor,
    image,
    index,
    open_services,
)

V1 = Tag("v1")
LARGE = b"large" * 100_000
IMAGE = image([b"small", LARGE])


def command(data: Path, *words: str) -> Result:
    """Run one on the folder."""
    return CliRunner().invoke(basegate, [*words, "--data", str(data)])


def seen(services: OpenServices) -> set[Digest]:
    """What is there of the image."""

    async def there() -> set[Digest]:
        return {blob.digest async for blob in services.storage.blobs()}

    return services.run(there())


@pytest.fixture
def services(tmp_path: Path) -> Iterator[OpenServices]:
    """A folder with a tagged image and its signature."""
    with open_services(tmp_path, gc={"untagged_after_seconds": 3600}) as services:
        services.run(services.push_image(V1, [b"small", LARGE]))
        services.run(services.push_manifest(image((), subject=descriptor(IMAGE))))
        yield services


def test_the_last_collection_is_undone(services: OpenServices) -> None:
    """Files, links and manifests; the tag was no work of the collection."""
    before = seen(services)
    services.run(services.manifests.delete(REPOSITORY, V1))
    age(services)
    report = services.run(services.collector.run())
    assert (report.manifests, report.blobs, seen(services)) == (2, 3, set())
    result = command(services.data, "gc", "undo", "--json")
    assert (result.exit_code, json.loads(result.stdout)["manifests"]) == (0, 2)
    assert seen(services) == before
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, Digest.of(IMAGE))).raw == IMAGE
    services.run(services.collector.run())
    assert seen(services) == before


def delete_tag(services: OpenServices) -> None:
    """The tag alone."""
    services.run(services.manifests.delete(REPOSITORY, V1))


def delete_manifest(services: OpenServices) -> None:
    """The manifest with its tag."""
    services.run(services.manifests.delete(REPOSITORY, Digest.of(IMAGE)))


def delete_repository(services: OpenServices) -> None:
    """Everything."""
    assert command(services.data, "repo", "rm", "--yes", str(REPOSITORY)).exit_code == 0


@pytest.mark.parametrize("delete", [delete_tag, delete_manifest, delete_repository])
@pytest.mark.parametrize("collected", [False, True])
def test_a_delete_is_undone(services: OpenServices, delete: Callable[[OpenServices], None], collected: bool) -> None:
    """Also when a collection has taken the files since; the image can be pulled by its tag again."""
    delete(services)
    run = json.loads(command(services.data, "trash", "ls", "--json").stdout)[0]["name"]
    if collected:
        age(services)
        services.run(services.collector.run())
        assert command(services.data, "gc", "undo").exit_code == 0
    assert command(services.data, "trash", "restore", run).exit_code == 0
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, V1)).raw == IMAGE
    assert services.run(services.blobs.pull(PUSHER, REPOSITORY, Digest.of(LARGE))).size == len(LARGE)


def deleted_and_collected(services: OpenServices) -> str:
    """Delete the manifest, and have a collection take what it names; returns the run of the delete."""
    delete_manifest(services)
    run: str = json.loads(command(services.data, "trash", "ls", "--json").stdout)[0]["name"]
    age(services)
    services.run(services.collector.run())
    return run


def test_what_a_manifest_names_comes_back_with_it(services: OpenServices) -> None:
    """Also when it went to another run of the trash: files and links."""
    run = deleted_and_collected(services)
    assert command(services.data, "trash", "restore", run).exit_code == 0
    assert services.run(services.blobs.pull(PUSHER, REPOSITORY, Digest.of(LARGE))).size == len(LARGE)
    assert services.run(services.blobs.pull(PUSHER, REPOSITORY, Digest.of(b"small"))).size == 5


def test_parts_of_an_index_come_back_with_it(services: OpenServices) -> None:
    """With what they name, two levels down."""
    listed = index(index(IMAGE))
    for raw in (index(IMAGE), listed):
        services.run(services.push_manifest(raw))
    services.run(services.manifests.delete(REPOSITORY, V1))
    services.run(services.manifests.delete(REPOSITORY, Digest.of(listed)))
    run = json.loads(command(services.data, "trash", "ls", "--json").stdout)[0]["name"]
    age(services)
    services.run(services.collector.run())
    assert seen(services) == set()
    assert command(services.data, "trash", "restore", run).exit_code == 0
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, Digest.of(IMAGE))).raw == IMAGE
    assert services.run(services.blobs.pull(PUSHER, REPOSITORY, Digest.of(LARGE))).size == len(LARGE)


def test_what_a_manifest_names_and_is_lost_is_told(services: OpenServices) -> None:
    """Exit code 1, and its digest once."""
    run = deleted_and_collected(services)
    (services.data / "trash" / Digest.of(LARGE).replace(":", "-")).unlink()
    result = command(services.data, "trash", "restore", run)
    assert (result.exit_code, result.stdout.count(Digest.of(LARGE))) == (1, 1)


def test_a_tag_that_points_elsewhere_by_now_stays(services: OpenServices) -> None:
    """It is named: exit code 1."""
    delete_manifest(services)
    services.run(services.push_image(V1, [b"other"]))
    run = json.loads(command(services.data, "trash", "ls", "--json").stdout)[0]["name"]
    assert command(services.data, "trash", "restore", run).exit_code == 1
    assert services.run(services.manifests.pull(PUSHER, REPOSITORY, V1)).raw == image([b"other"])


def test_what_was_damaged_in_the_trash_does_not_come_back(services: OpenServices) -> None:
    """It is named, the rest is there."""
    delete_manifest(services)
    age(services)
    services.run(services.collector.run())
    flipped(services.data / "trash" / Digest.of(LARGE).replace(":", "-"))
    result = command(services.data, "gc", "undo")
    assert (result.exit_code, Digest.of(LARGE) in result.stdout) == (1, True)


@pytest.mark.parametrize("emptied", [["trash", "empty", "--yes"], []])
def test_an_emptied_trash_frees_the_space(services: OpenServices, emptied: list[str]) -> None:
    """By command, or because nothing is to be kept: then there is nothing to undo."""
    if not emptied:
        services.configure(gc={"undo_seconds": 0})
    delete_manifest(services)
    age(services)
    services.run(services.collector.run())
    if emptied:
        assert command(services.data, *emptied).exit_code == 0
    assert list((services.data / "trash").iterdir()) == []
    assert command(services.data, "gc", "undo").exit_code == 2


def test_the_copy_of_the_rows_follows(services: OpenServices) -> None:
    """What was brought back is there after a rebuild as well."""
    delete_manifest(services)
    copy_rows(services.data)
    run = json.loads(command(services.data, "trash", "ls", "--json").stdout)[0]["name"]
    command(services.data, "trash", "restore", run)
    copy_rows(services.data)
    services.close()
    for path in services.data.glob("registry.db*"):
        path.unlink()
    assert command(services.data, "rebuild").exit_code == 0
    with open_services(services.data) as again:
        assert again.run(again.manifests.pull(PUSHER, REPOSITORY, V1)).raw == IMAGE
