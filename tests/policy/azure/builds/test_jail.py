"""A step set apart: what it may not see or have, and contexts that would reach out of their folder."""

import gzip
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from policy.azure.builds import jail

# One after the other: they are all of the same user, whose processes are counted; builds of other tests are of another.
pytestmark = [pytest.mark.root, pytest.mark.client("busybox"), pytest.mark.xdist_group("jail")]
UID = 2_300_000_000
Member = tuple[tarfile.TarInfo, bytes]


def jailed(folder: Path, *command: str, **limits: int) -> subprocess.CompletedProcess[str]:
    """Run a command in the jail, with the folder of its build."""
    folder.mkdir(exist_ok=True)
    for path in (folder, *folder.iterdir()):
        os.lchown(path, UID, UID)
    wanted = {"memory": 1 << 31, "processes": 64, "disk": 1 << 24, "files": 100, "first-uid": UID} | limits
    options = [f"--{name}={value}" for name, value in wanted.items()]
    line = [sys.executable, "-I", jail.__file__, f"--folder={folder}", *options, "--", *command]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", content: bytes = b"") -> Member:
    """One member of an archive."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(content), 0o755
    return info, content


def unpacked(folder: Path, *members: Member, **limits: int) -> subprocess.CompletedProcess[str]:
    """Unpack an archive of these members in the jail."""
    folder.mkdir()
    with tarfile.open(folder / "context.tar.gz", "w:gz") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return jailed(folder, jail.UNPACK, "context.tar.gz", "context", **limits)


def test_a_context_is_unpacked(tmp_path: Path) -> None:
    """Files, folders and links within; the folder without a name that az begins with is passed over."""
    folder = tmp_path / "build"
    done = unpacked(
        folder,
        member("", tarfile.DIRTYPE),
        member("a/b", content=b"text"),
        member("a/link", tarfile.SYMTYPE, "b"),
        member("hard", tarfile.LNKTYPE, "a/b"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "context/a/link").read_bytes() == b"text"
    assert (folder / "context/hard").stat().st_uid == UID


@pytest.mark.parametrize(
    "hostile",
    [
        member("../outside", content=b"x"),
        member("a/../../outside", content=b"x"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.SYMTYPE, "../../outside"),
        member("hard", tarfile.LNKTYPE, "../context.tar.gz"),
        member("a/b/c", tarfile.SYMTYPE, "../../.."),
        member("hard", tarfile.LNKTYPE, "/etc/passwd"),
        member("device", tarfile.CHRTYPE),
        member("pipe", tarfile.FIFOTYPE),
        member("big", content=b"\0" * (1 << 25)),
    ],
    ids=lambda made: f"{made[0].name}-{made[0].type.decode()}-{made[0].linkname}",
)
def test_a_context_stays_in_its_folder(tmp_path: Path, hostile: Member) -> None:
    """Whatever leads out of it, or is no file, is refused."""
    done = unpacked(tmp_path / "build", member("Dockerfile", content=b"FROM scratch"), hostile)
    assert done.returncode == jail.NOT_BEGUN
    assert "the context is refused" in done.stderr
    assert sorted(path.name for path in tmp_path.rglob("*outside*")) == []


def test_links_over_links_stay_too(tmp_path: Path) -> None:
    """Each leads to within by its text, and both together out of it."""
    done = unpacked(
        tmp_path / "build",
        member("a/b/up", tarfile.SYMTYPE, "../.."),
        member("out", tarfile.SYMTYPE, "a/b/up/../x"),
    )
    assert "leads out of the context" in done.stderr


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """Not even within the context."""
    done = unpacked(tmp_path / "build", member("link", tarfile.SYMTYPE, "a"), member("link/x", content=b"x"))
    assert "lies behind a link" in done.stderr


def test_the_last_of_several_counts(tmp_path: Path) -> None:
    """As with tar itself; a link of that name is not followed."""
    done = unpacked(
        tmp_path / "build",
        member("a", content=b"one"),
        member("b", tarfile.SYMTYPE, "a"),
        member("b", content=b"two"),
    )
    assert done.returncode == 0
    assert (tmp_path / "build/context/a").read_bytes() == b"one"


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"no archive",
        lambda: gzip.compress(b"no archive"),
        lambda: gzip.compress(b"x" * 2048)[:-10],
    ],
)
def test_what_is_no_context_is_refused(tmp_path: Path, make: Callable[[], bytes]) -> None:
    """Empty, another format, or cut."""
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "context.tar.gz").write_bytes(make())
    done = jailed(folder, jail.UNPACK, "context.tar.gz", "context")
    assert done.returncode == jail.NOT_BEGUN
    assert "the context is refused" in done.stderr


def test_files_are_counted(tmp_path: Path) -> None:
    """Links and empty files, which take no bytes, as well."""
    done = unpacked(tmp_path / "build", *(member(f"f{number}") for number in range(101)))
    assert "more than 100 files" in done.stderr


def test_a_step_owns_nothing_else(tmp_path: Path) -> None:
    """Its root is another user of the machine: what is the server's alone it cannot read."""
    secret = tmp_path / "secret"
    secret.write_text("hidden", encoding="utf-8")
    secret.chmod(0o600)
    done = jailed(tmp_path / "build", "busybox", "sh", "-c", f"id -u; cat {secret}; cat /etc/shadow; ls /root")
    assert done.stdout == "0\n"
    assert "hidden" not in done.stderr


def test_a_step_sees_its_own_processes(tmp_path: Path) -> None:
    """And no other: it is the first of its namespace."""
    done = jailed(tmp_path / "build", "busybox", "sh", "-c", "echo $$; ls -d /proc/[0-9]* | wc -l")
    assert [int(line) <= 3 for line in done.stdout.split()] == [True, True]


def test_a_step_has_no_network(tmp_path: Path) -> None:
    """Only a loopback interface that is down."""
    done = jailed(tmp_path / "build", "busybox", "sh", "-c", "ls /sys/class/net >/dev/null; cat /proc/net/dev")
    assert [line.split(":")[0].strip() for line in done.stdout.splitlines()[2:]] == ["lo"]


def test_a_step_that_forks_is_bounded(tmp_path: Path) -> None:
    """It can make so many processes and no more; and nothing of it is left when it ends."""
    script = "n=0; while [ $n -lt 300 ]; do sleep 60 & n=$((n+1)); done; echo made"
    done = jailed(tmp_path / "build", "busybox", "sh", "-c", script, processes=32)
    assert "made" not in done.stdout
    left = subprocess.run(["pgrep", "-u", str(UID)], capture_output=True, text=True, check=False)
    assert left.stdout == ""


def test_a_file_is_bounded(tmp_path: Path) -> None:
    """By the bytes that a build may have."""
    done = jailed(tmp_path / "build", "busybox", "dd", "if=/dev/zero", "of=/tmp/big", "bs=1M", "count=64")
    assert done.returncode != 0
    assert (tmp_path / "build/big").stat().st_size <= 1 << 24


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Of each process."""
    done = jailed(
        tmp_path / "build", "busybox", "dd", "if=/dev/zero", "of=/dev/null", "bs=256M", "count=1", memory=1 << 26
    )
    assert done.returncode != 0
