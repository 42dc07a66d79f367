"""The inspection benchmark runs: a tiny layer, every reader once."""

from pathlib import Path

from tests.bench.inspection import NAMES, READERS, inspect, report, write_layer


def test_report_names_every_reader_and_both_ratios(tmp_path: Path) -> None:
    """A run on a layer of 200 members ends with a table."""
    path = tmp_path / "layer.tar.gz"
    write_layer(path, members=200, megabytes=2)
    text = report(path, rounds=1)
    assert all(name in text for name in NAMES)
    assert "x tarfile r|gz" in text
    assert "x the bare decompressor" in text


def test_all_readers_see_the_same_layer(tmp_path: Path) -> None:
    """basegate and tarfile count the same members."""
    path = tmp_path / "layer.tar.gz"
    write_layer(path, members=300, megabytes=1)
    assert inspect(path)[0] == READERS["tarfile"](path) == 300
