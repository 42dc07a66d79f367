"""A check of the audit log finds whatever was done to it, and says where."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.config.access import AuditSettings
from registry.maintenance.audit_check import NoAuditLog, check_audit_log
from registry.telemetry.audit import AuditLog
from registry.telemetry.audit_chain import ChainEnd, end_in_words
from registry.telemetry.audit_file import head_of

FILES = ["audit.log.2", "audit.log.1", "audit.log"]
Place = tuple[str, int]
Lines = list[tuple[str, bytes]]


@pytest.fixture(scope="module", name="written")
def _written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of three files."""
    path = tmp_path_factory.mktemp("written") / "audit.log"
    log = AuditLog(path, lambda: AuditSettings(rotate_bytes=4096, keep_files=2))
    for number in range(66):
        log.record({"action": "tag.rm", "repository": "team/app", "number": number})
    log.close()
    assert sorted(file.name for file in path.parent.glob("audit.log*")) == sorted([*FILES, "audit.log.head"])
    return path


@pytest.fixture(name="path")
def _path(written: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    shutil.copytree(written.parent, tmp_path / "audit")
    return tmp_path / "audit" / "audit.log"


def read(path: Path) -> Lines:
    """All lines, each with its file."""
    files = [path.with_name(name) for name in FILES]
    return [(file.name, line) for file in files for line in file.read_bytes().splitlines(keepends=True)]


def spoiled(written: Path, folder: Path, lines: Lines) -> set[tuple[str, Place]]:
    """What a check finds in a copy that has these lines instead: kind and place of each."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(written.parent, folder)
    for name in FILES:
        (folder / name).write_bytes(b"".join(line for file, line in lines if file == name))
    return {(item.kind, (item.file, item.line)) for item in check_audit_log(folder / "audit.log").findings}


def place(lines: Lines, index: int) -> Place:
    """File and number of a line."""
    file = lines[index][0]
    return file, sum(name == file for name, _ in lines[: index + 1])


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_found(
    written: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """In any member of any line, the last one and the chain's own members too."""
    lines = read(written)
    index = data.draw(st.integers(0, len(lines) - 1))
    file, line = lines[index]
    at = data.draw(st.integers(0, len(line) - 2))
    new = data.draw(st.integers(0, 255).filter(lambda byte: byte not in {line[at], 10, 13}))
    lines[index] = (file, line[:at] + bytes([new]) + line[at + 1 :])
    found = spoiled(written, tmp_path_factory.getbasetemp() / "changed", lines)
    assert place(lines, index) in {where for _, where in found}


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_missing_lines_are_found(written: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any run of lines, but for the oldest: these may have been rotated away."""
    lines = read(written)
    first = data.draw(st.integers(1, len(lines) - 1))
    last = data.draw(st.integers(first, len(lines) - 1))
    left = lines[:first] + lines[last + 1 :]
    expected = ("missing", place(left, first)) if last + 1 < len(lines) else ("cut", place(left, first - 1))
    assert spoiled(written, tmp_path_factory.getbasetemp() / "missing", left) == {expected}


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_swapped_lines_are_found(written: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """The line that is behind its place is named."""
    lines = read(written)
    one = data.draw(st.integers(0, len(lines) - 2))
    other = data.draw(st.integers(one + 1, len(lines) - 1))
    swapped = list(lines)
    swapped[one], swapped[other] = (lines[one][0], lines[other][1]), (lines[other][0], lines[one][1])
    found = spoiled(written, tmp_path_factory.getbasetemp() / "swapped", swapped)
    kind = "moved" if one else "doubled"
    assert (kind, place(swapped, other)) in found


@pytest.mark.parametrize(
    ("line", "kind"), [(b'{"action":"mine"}\n', "foreign"), (b"nothing\n", "torn")], ids=["foreign", "torn"]
)
def test_added_lines_are_found(written: Path, tmp_path: Path, line: bytes, kind: str) -> None:
    """The chain itself is whole."""
    lines = read(written)
    lines.insert(10, ("audit.log.2", line))
    assert spoiled(written, tmp_path / "added", lines) == {(kind, place(lines, 10))}


def test_a_doubled_line_is_found(written: Path, tmp_path: Path) -> None:
    """It has a number that another has."""
    lines = read(written)
    lines.insert(12, lines[10])
    assert spoiled(written, tmp_path / "doubled", lines) == {("doubled", place(lines, 12))}


def test_a_missing_file_is_found(path: Path) -> None:
    """By the numbers of its lines."""
    path.with_name("audit.log.1").unlink()
    (finding,) = check_audit_log(path).findings
    assert (finding.kind, finding.file, finding.line) == ("missing", "audit.log", 1)
    assert "lines " in finding.message


def forget_head(path: Path) -> None:
    """Nothing tells of the end."""
    head_of(path).unlink()


def break_head(path: Path) -> None:
    """It tells nothing."""
    head_of(path).write_text("{}")


@pytest.mark.parametrize("spoil", [forget_head, break_head])
def test_without_a_head_that_is_said(path: Path, spoil: Callable[[Path], None]) -> None:
    """The end could have been cut off."""
    spoil(path)
    assert [item.kind for item in check_audit_log(path).findings] == ["head"]


def test_a_known_head_finds_a_log_that_was_made_anew(path: Path) -> None:
    """With everything that the chain asks for."""
    known = check_audit_log(path).head
    for file in path.parent.iterdir():
        file.unlink()
    log = AuditLog(path, AuditSettings)
    for number in range(70):
        log.record({"action": "harmless", "number": number})
    log.close()
    assert known is not None
    assert check_audit_log(path).findings == []
    assert [item.kind for item in check_audit_log(path, [known]).findings] == ["changed"]


def test_a_known_head_finds_a_cut_that_the_head_goes_along_with(path: Path) -> None:
    """The lines after it are missing."""
    known = end_in_words(str(check_audit_log(path).head))
    assert known is not None
    path.unlink()
    path.with_name("audit.log.1").rename(path)
    end = check_audit_log(path).head
    assert end is not None
    head_of(path).write_text(f'{{"sequence":{end.sequence},"hash":"{end.digest}"}}')
    assert check_audit_log(path).findings == []
    assert [item.kind for item in check_audit_log(path, [known]).findings] == ["cut"]


def test_an_earlier_head_is_found_in_its_place(path: Path) -> None:
    """The chain has gone on since."""
    line = read(path)[20][1].removesuffix(b"\n")
    number = int(line.split(b'"sequence":')[1].split(b",")[0])
    following = read(path)[21][1]
    digest = following.split(b'"previous":"')[1].split(b'"')[0].decode()
    assert check_audit_log(path, [ChainEnd(number, digest)]).findings == []


def test_no_log_is_no_answer(tmp_path: Path) -> None:
    """It says what to do, and makes none."""
    with pytest.raises(NoAuditLog, match="--config"):
        check_audit_log(tmp_path / "audit.log")
    assert list(tmp_path.iterdir()) == []
