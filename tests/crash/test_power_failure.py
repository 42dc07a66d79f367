"""The power fails: what was not synced is gone, what was acknowledged is there after the next start."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.metadata import small_blobs
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.crash.aftermath import damaged, dangling, lost
from tests.registry.open_services import REPOSITORY, OpenServices, open_services

SMALL = [f"small blob {number} ".encode() * 40 for number in range(40)]


def gone(path: Path) -> None:
    """Its name was not durable."""
    path.unlink()


def empty(path: Path) -> None:
    """Its name was, its bytes were not."""
    path.chmod(0o600)
    path.write_bytes(b"")


def cut(path: Path) -> None:
    """Only its first bytes were."""
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:100])


def garbled(path: Path) -> None:
    """Its size was, its bytes were not."""
    path.chmod(0o600)
    path.write_bytes(bytes(path.stat().st_size))


def folder_gone(path: Path) -> None:
    """Not even the name of its folder was durable."""
    shutil.rmtree(path.parent, ignore_errors=True)


def files(data: Path) -> list[Path]:
    """Those of all blobs."""
    return sorted(data.glob("blobs/*/*/*"))


def entries(services: OpenServices) -> int:
    """How many blobs are in the journal."""
    return len(services.run(services.metadata.read(small_blobs.behind, 0, 1 << 60, 1000)))


@pytest.mark.parametrize("fail", [gone, empty, cut, garbled, folder_gone])
def test_acknowledged_small_blobs_survive(tmp_path: Path, fail: Callable[[Path], None]) -> None:
    """Pushed, never synced: the next start writes them again from the journal."""
    with open_services(tmp_path) as services:
        pushed = [["blob", REPOSITORY, services.run(services.push_blob(content))] for content in SMALL]
    for path in files(tmp_path):
        fail(path)
    with open_services(tmp_path) as services:
        assert lost(services, pushed) == dangling(services) == damaged(tmp_path) == []


def test_a_second_power_failure_is_survived_too(tmp_path: Path) -> None:
    """What was written again is not durable either, and its entries are still there."""
    with open_services(tmp_path) as services:
        pushed = [["blob", REPOSITORY, services.run(services.push_blob(content))] for content in SMALL]
    for fail in (gone, empty):
        for path in files(tmp_path):
            fail(path)
        with open_services(tmp_path) as services:
            assert lost(services, pushed) == []


def test_an_image_of_small_blobs_can_be_pulled(tmp_path: Path) -> None:
    """Manifest, configuration and layer are in the database."""
    with open_services(tmp_path) as services:
        pushed = services.run(services.push_image(Tag("v1")))
        wanted = [["manifest", REPOSITORY, "v1", pushed.digest], ["blob", REPOSITORY, Digest.of(b"layer")]]
    shutil.rmtree(tmp_path / "blobs" / "sha256")
    (tmp_path / "blobs" / "sha256").mkdir()
    with open_services(tmp_path) as services:
        assert lost(services, wanted) == []


def test_only_what_has_no_sync_behind_it_is_written_again(tmp_path: Path) -> None:
    """Once settled, the journal is empty: files are durable, and a start does not look at them."""
    with open_services(tmp_path) as services:
        for content in SMALL:
            services.run(services.push_blob(content))
        assert entries(services) == len(SMALL)
        services.run(services.journal.settle())
        assert entries(services) == 0
    changed = [(path, path.stat().st_ino, path.stat().st_ctime_ns) for path in files(tmp_path)]
    with open_services(tmp_path):
        assert [(path, path.stat().st_ino, path.stat().st_ctime_ns) for path in files(tmp_path)] == changed
