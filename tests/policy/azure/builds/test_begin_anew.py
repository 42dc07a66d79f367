"""What a build has left is not there when its image is pushed, with the network and a token."""

import asyncio
from pathlib import Path

import pytest

from policy.azure.builds.build import keep_only


def test_settings_that_a_run_line_left_are_gone(tmp_path: Path) -> None:
    """Files, folders and links; the images stay."""
    work = tmp_path / "ca1"
    (work / "storage" / "vfs").mkdir(parents=True)
    (work / ".config" / "containers").mkdir(parents=True)
    (work / "registries.conf").symlink_to(tmp_path / "elsewhere")
    asyncio.run(keep_only(work, "storage"))
    assert [each.name for each in tmp_path.iterdir()] == ["ca1"]
    assert [str(each.relative_to(work)) for each in sorted(work.rglob("*"))] == ["storage", "storage/vfs"]


def test_a_build_that_has_removed_its_images_is_told(tmp_path: Path) -> None:
    """And nothing of it stays."""
    work = tmp_path / "ca1"
    (work / "context").mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        asyncio.run(keep_only(work, "storage"))
    assert list(work.iterdir()) == []
