"""The data folder's layout: made once, recognised, cleaned of what crashes leave."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.oci.digest import Digest
from registry.storage.disk.layout import MARK, PASSAGE_SECONDS, Layout, LayoutUnknown
from registry.storage.disk.store import DiskStore


def test_a_prepared_folder_bears_the_mark(tmp_path: Path) -> None:
    """After every folder is there."""
    layout = Layout(tmp_path / "new" / "data")
    layout.prepare()
    assert (layout.root / "layout").read_bytes() == MARK
    passages = {"discarded", "incoming", "quarantine", "trash", "uploads"}
    assert {path.name for path in layout.root.iterdir()} == {"blobs", "layout"} | passages


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    """A second start finds the mark."""
    for _ in range(2):
        Layout(tmp_path).prepare()
    assert (tmp_path / "layout").read_bytes() == MARK


def test_another_layout_is_refused(tmp_path: Path) -> None:
    """A folder of a later basegate is left alone."""
    (tmp_path / "layout").write_bytes(b"basegate storage 9\n")
    with pytest.raises(LayoutUnknown, match="basegate storage 9"):
        Layout(tmp_path).prepare()


def test_a_preparation_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    """Folders without the mark are not trusted, and not in the way."""
    (tmp_path / "uploads").mkdir()
    Layout(tmp_path).prepare()
    assert (tmp_path / "blobs" / "sha512").is_dir()


def test_old_leftovers_in_the_passages_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a process that may still be at work are not."""
    Layout(tmp_path).prepare()
    for folder in ("incoming", "discarded"):
        (tmp_path / folder / "left").touch()
    Layout(tmp_path).prepare()
    assert (tmp_path / "incoming" / "left").exists()
    monkeypatch.setattr("registry.storage.disk.layout.PASSAGE_SECONDS", -PASSAGE_SECONDS)
    Layout(tmp_path).prepare()
    assert not any((tmp_path / folder / "left").exists() for folder in ("incoming", "discarded"))


def test_blobs_are_read_only_files_under_their_digest(tmp_path: Path) -> None:
    """`blobs/<algorithm>/<two hex digits>/<hex>`, mode 0444."""
    with ThreadPoolExecutor(1) as pool:
        store = DiskStore(tmp_path, pool)
        digest = Digest.of(b"x", "sha512")
        asyncio.run(store.put(digest, b"x"))
    path = tmp_path / "blobs" / "sha512" / digest.encoded[:2] / digest.encoded
    assert path.stat().st_mode & 0o777 == 0o444
