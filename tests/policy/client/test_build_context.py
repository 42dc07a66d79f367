"""The context that `basegate build` sends: every file that `.dockerignore` lets in, and the Dockerfile."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from policy.client.build_context import ContextUnusable, pack


def packed(folder: Path, dockerfile: Path | None = None) -> tuple[str, list[tarfile.TarInfo]]:
    """The Dockerfile's path in the archive, and all members."""
    raw = io.BytesIO()
    name = pack(folder, dockerfile, raw)
    raw.seek(0)
    with tarfile.open(fileobj=raw) as archive:
        return name, archive.getmembers()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A context of a few files."""
    for name in ("Dockerfile", "a.txt", "b.log", "sub/c.log", "sub/keep.log", ".git/config", "sub/deep/d.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def test_everything_is_in_it(folder: Path) -> None:
    """Nobody's in particular, and the Dockerfile under a name of its own besides."""
    name, members = packed(folder)
    names = {member.name for member in members}
    assert {"Dockerfile", "a.txt", "sub/deep/d.txt", ".git/config", name} <= names
    assert {(member.uid, member.uname) for member in members} == {(0, "")}


@pytest.mark.parametrize(
    ("rules", "out"),
    [
        ("*.log", {"b.log"}),
        ("**/*.log", {"b.log", "sub/c.log", "sub/keep.log"}),
        ("**/*.log\n!sub/keep.log", {"b.log", "sub/c.log"}),
        (".git", {".git", ".git/config"}),
        ("sub/", {"sub", "sub/c.log", "sub/keep.log", "sub/deep", "sub/deep/d.txt"}),
        ("# no rule\n\n/a.txt", {"a.txt"}),
        ("?.txt", {"a.txt"}),
        ("Dockerfile", {"Dockerfile"}),
    ],
)
def test_what_is_ignored_stays_out(folder: Path, rules: str, out: set[str]) -> None:
    """As docker reads `.dockerignore`."""
    before = {member.name for member in packed(folder)[1] if not member.name.endswith("_Dockerfile")}
    (folder / ".dockerignore").write_text(rules)
    after = {member.name for member in packed(folder)[1]}
    assert before - after == out


def test_links_are_sent_as_links(folder: Path) -> None:
    """What they lead to outside is not read."""
    (folder / "link").symlink_to("/etc/hostname")
    os.mkfifo(folder / "pipe")
    found = {member.name: member for member in packed(folder)[1]}
    assert found["link"].issym()
    assert "pipe" not in found


def test_a_dockerfile_elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It is put in."""
    other = tmp_path_factory.mktemp("other") / "File"
    other.write_text("FROM scratch")
    name, members = packed(folder, other)
    assert next(member.size for member in members if member.name == name) == len("FROM scratch")


def test_what_is_not_there_is_said(folder: Path, tmp_path: Path) -> None:
    """The folder, and the Dockerfile."""
    with pytest.raises(ContextUnusable, match="no folder"):
        packed(tmp_path / "absent")
    with pytest.raises(ContextUnusable, match="no Dockerfile"):
        packed(folder, folder / "absent")
