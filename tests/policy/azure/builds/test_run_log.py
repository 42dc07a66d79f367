"""The log of a run: whole lines, bounded, and without secrets."""

from pathlib import Path

import pytest

from policy.azure.builds.run_log import LogFull, RunLog


def written(path: Path, *pieces: bytes, most: int = 10_000, secrets: tuple[str, ...] = ()) -> bytes:
    """What stands in the file after these pieces."""
    log = RunLog(path, most, secrets)
    for piece in pieces:
        log.add(piece)
    log.close()
    return path.read_bytes()


def test_lines_end_as_az_wants_them(tmp_path: Path) -> None:
    """However they came: az prints up to the last CR LF."""
    assert written(tmp_path / "log", b"a\nb", b"c\r\nd\re") == b"a\r\nbc\r\nd e\r\n"


def test_a_line_that_does_not_end_is_cut(tmp_path: Path) -> None:
    """Else nothing of it would be shown, and all of it held."""
    lines = written(tmp_path / "log", b"x" * 20_000, most=100_000).split(b"\r\n")
    assert max(map(len, lines)) == 8192
    assert sum(map(len, lines)) == 20_000


def test_secrets_of_several_lines_are_hidden_line_by_line(tmp_path: Path) -> None:
    """In all lines of a piece."""
    shown = written(tmp_path / "log", b"one\n\nsecond-a\nfirst-ab first-a\n", secrets=("first-a\nsecond-a", "first-ab"))
    assert shown == b"one\r\n\r\n***\r\n*** ***\r\n"


@pytest.mark.parametrize("pieces", [(b"a s3cret b\n",), (b"a s3c", b"ret b\n")])
def test_a_secret_is_not_shown(tmp_path: Path, pieces: tuple[bytes, ...]) -> None:
    """Whole or in two pieces."""
    assert written(tmp_path / "log", *pieces, secrets=("s3cret",)) == b"a *** b\r\n"


def test_a_full_log_takes_a_last_line(tmp_path: Path) -> None:
    """What the build prints is cut; how it ended is said all the same."""
    log = RunLog(tmp_path / "log", 10, ())
    with pytest.raises(LogFull):
        log.add(b"0123456789abcdef\n" * 100)
    log.say("the end")
    log.close()
    assert (tmp_path / "log").read_bytes() == b"0123456789\r\nthe end\r\n"
