"""What the folder of a daemon has more than before a build."""

import subprocess
from pathlib import Path

import pytest

from policy.azure.builds.usage import Growth

MEBIBYTE = 1 << 20


def layer(root: Path, name: str) -> Path:
    """A folder with a file of a mebibyte, deep in it."""
    folder = root / "overlay2" / name / "diff" / "usr"
    folder.mkdir(parents=True)
    (folder / "big").write_bytes(b"x" * MEBIBYTE)
    return folder


def test_what_was_there_is_not_counted(tmp_path: Path) -> None:
    """A layer that came is, and one that went again no more."""
    layer(tmp_path, "old")
    growth = Growth(tmp_path)
    assert growth.measure() == 0
    folder = layer(tmp_path, "new")
    assert MEBIBYTE <= growth.measure() < 2 * MEBIBYTE
    (folder / "big").unlink()
    assert growth.measure() < MEBIBYTE


@pytest.mark.root
def test_a_mount_shows_no_layer_again(tmp_path: Path) -> None:
    """As `merged` of a running container does."""
    growth = Growth(tmp_path)
    merged = layer(tmp_path, "new") / "merged"
    merged.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", merged], check=True)
    try:
        (merged / "again").write_bytes(b"x" * MEBIBYTE)
        assert growth.measure() < 2 * MEBIBYTE
    finally:
        subprocess.run(["umount", merged], check=True)


def test_without_a_folder_there_is_nothing(tmp_path: Path) -> None:
    """Nor with one that cannot be found here."""
    assert (Growth(None).measure(), Growth(tmp_path / "elsewhere").measure()) == (0, 0)
