"""The log of upload sessions: what the next process reads in it, whatever happened to the file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from registry.content.session_log import SessionLog
from registry.oci.digest import Digest
from registry.storage.blob_store import Opening

OPENING = Opening("team/app", "sha256", "somebody", 1_700_000_000.25)
ONE, TWO, THREE = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(3))
DIGEST = Digest.of(b"content")


def read(path: Path, remembered: int = 10) -> SessionLog:
    """What the next process sees."""
    log = SessionLog(path, remembered)
    log.close()
    return log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log of one open session, one that came to nothing, and one that became a blob."""
    log = SessionLog(tmp_path / "sessions.log", 10)
    for upload in (ONE, TWO, THREE):
        log.opened(upload, OPENING)
    log.ended(TWO)
    log.ended(THREE, DIGEST)
    log.close()
    return tmp_path / "sessions.log"


def test_the_next_process_knows_what_is_open_and_what_became_of_others(path: Path) -> None:
    """Whole, to the fraction of a second."""
    log = read(path)
    assert dict(log.openings()) == {ONE: OPENING}
    outcome = log.outcome(THREE)
    assert outcome is not None
    assert (outcome.opening, outcome.digest, log.outcome(TWO)) == (OPENING, DIGEST, None)


def test_nobody_else_may_read_it(path: Path) -> None:
    """It names sessions, which are written to with a secret alone."""
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "damage",
    [lambda text: text[:-20], lambda text: text + "\n+ torn", lambda text: text + "\0" * 50, lambda text: text + "\n-"],
    ids=["a torn end", "a torn beginning", "zeros", "no id"],
)
def test_a_torn_line_takes_no_other_with_it(path: Path, damage: Callable[[str], str]) -> None:
    """As a kill or a power failure leaves them."""
    path.write_text(damage(path.read_text()))
    log = SessionLog(path, 10)
    log.opened(TWO, OPENING)
    log.close()
    assert dict(read(path).openings()) == {ONE: OPENING, TWO: OPENING}


def test_it_does_not_grow_without_end(path: Path) -> None:
    """Written anew when most of it is over; what is open and remembered stays."""
    log = SessionLog(path, 2)
    for number in range(1, 12_000):
        upload = f"{number:08d}-0000-4000-8000-000000000000"
        log.opened(upload, OPENING)
        log.ended(upload, DIGEST)
    log.close()
    assert path.stat().st_size < 1_100_000
    found = read(path, 2)
    assert dict(found.openings()) == {ONE: OPENING}
    known = [found.outcome(f"{n:08d}-0000-4000-8000-000000000000") is not None for n in (11_997, 11_998, 11_999)]
    assert known == [False, True, True]


def test_a_session_that_had_bytes_is_not_empty(path: Path) -> None:
    """Without its folder it is lost; also after the file was written anew."""
    log = SessionLog(path, 10)
    assert log.empty(ONE) == OPENING
    log.staged(ONE)
    log.close()
    assert read(path).empty(ONE) is None
    assert dict(read(path).openings()) == {ONE: OPENING}


@pytest.mark.parametrize("harm", [Path.mkdir, lambda path: path.symlink_to("elsewhere")], ids=["folder", "link"])
def test_a_session_that_cannot_be_written_down_is_not_opened(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """The caller is told; a link is not followed; once the disk takes lines again so does the log."""
    log = SessionLog(tmp_path / "sessions.log", 10)
    harm(tmp_path / "sessions.log")
    with pytest.raises(OSError, match=r"sessions\.log"):
        log.opened(ONE, OPENING)
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "sessions.log").rename(tmp_path / "aside")
    log.opened(TWO, OPENING)
    log.close()
    assert dict(read(tmp_path / "sessions.log").openings()) == {TWO: OPENING}
