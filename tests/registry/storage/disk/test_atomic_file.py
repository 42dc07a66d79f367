"""Small files are there whole, or as they were."""

import os
from pathlib import Path

import pytest

from registry.storage.disk.atomic_file import create_file, replace_file


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole(tmp_path: Path, durable: bool) -> None:
    """Nothing else stays in its folder."""
    for content in (b"first, and long", b"second"):
        replace_file(tmp_path / "file", content, durable=durable)
    assert (tmp_path / "file").read_bytes() == b"second"
    assert names(tmp_path) == ["file"]


def test_a_reader_keeps_what_it_has_open(tmp_path: Path) -> None:
    """The file is another one, the old one is not written."""
    replace_file(tmp_path / "file", b"first")
    with (tmp_path / "file").open("rb") as file:
        replace_file(tmp_path / "file", b"second")
        assert file.read() == b"first"


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_its_mode(tmp_path: Path, mode: int) -> None:
    """Less what the umask takes, whatever mode the file before had."""
    before = os.umask(0o022)
    try:
        (tmp_path / "file").touch(0o666)
        replace_file(tmp_path / "file", b"content", mode)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_what_a_killed_process_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """It is written over."""
    (tmp_path / "draft").write_bytes(b"torn")
    replace_file(tmp_path / "file", b"whole", draft=tmp_path / "draft")
    assert names(tmp_path) == ["file"]


def test_what_cannot_be_replaced_is_as_it_was(tmp_path: Path) -> None:
    """And nothing is left beside it."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="irectory"):
        replace_file(tmp_path / "folder", b"content")
    assert names(tmp_path) == ["folder"]


def test_a_file_is_created_once(tmp_path: Path) -> None:
    """Whoever is first counts."""
    for content in (b"first", b"second"):
        create_file(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == b"first"
    assert names(tmp_path) == ["file"]
