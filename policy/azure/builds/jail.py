"""Runs one step of a build apart from the machine: `python -I jail.py OPTIONS -- PROGRAM ARGUMENTS…`.

The step sees the folder of its build as /tmp. It is in namespaces of its own for users, processes, mounts, IPC, host
name and, unless it may use it, the network. Where this program is started by root, the step's root is a user of the
machine that owns nothing but that folder; else it is the user that started it. When this program ends or is killed,
every process of the step is killed.

It is a file on its own, run by its path: it imports the standard library only, and all of it before it gives up what
it may do, since afterwards it may not be able to read it. Exit code 125: the step could not be begun.
"""

import argparse
import contextlib
import ctypes
import gzip
import os
import resource
import sys
import tarfile
import zlib
from pathlib import Path, PurePosixPath

NOT_BEGUN = 125
SEEN_AS = Path("/tmp")  # noqa: S108 - the mount point of the step's own folder
UNPACK = "unpack"
IDS = 65_536
NICENESS = 10
"""Of every process of a build, and of its sessions where the kernel shares processors between these first."""
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_BIND, _RECURSIVE, _PRIVATE, _NOSUID, _NODEV, _NOEXEC = 0x1000, 0x4000, 0x40000, 2, 4, 8
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SIGKILL = 9
_PIECE = 1 << 20
_LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    """Begin the step, wait for it, and end with its exit code."""
    wanted = _options().parse_args()
    try:
        _LIBC.prctl(_PR_SET_PDEATHSIG, _SIGKILL)
        _enter(wanted.folder, wanted.first_uid, network=wanted.network)
        child = os.fork()
        if child == 0:
            _LIBC.prctl(_PR_SET_PDEATHSIG, _SIGKILL)
            _begin(wanted)
    except OSError as error:
        sys.stderr.write(f"the build could not be set apart from this machine: {error}\n")
        return NOT_BEGUN
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--first-uid", type=int, required=True)
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--disk", type=int, required=True)
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def _begin(wanted: argparse.Namespace) -> None:
    """The step itself: process 1 of its namespace. Never returns."""
    try:
        _mount(b"proc", b"/proc", b"proc", _NOSUID | _NODEV | _NOEXEC)
        _limit(wanted.memory, wanted.processes, wanted.disk)
        os.chdir(SEEN_AS)
        command = wanted.command[1:] if wanted.command[:1] == ["--"] else wanted.command
        if command[0] == UNPACK:
            _unpack(SEEN_AS / command[1], SEEN_AS / command[2], wanted.disk, wanted.files)
            os._exit(0)
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.stderr.write(f"the step could not be begun: {error}\n")
    except ContextRefused as error:
        sys.stderr.write(f"the context is refused: {error}\n")
    sys.stderr.flush()
    os._exit(NOT_BEGUN)


def _enter(folder: Path, first_uid: int, *, network: bool) -> None:
    """Put this process, and what it forks, into namespaces of their own."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # not every kernel has it (sched(7), "The autogroup feature")
        Path("/proc/self/autogroup").write_text(str(NICENESS), encoding="ascii")
    others = _NEWNS | _NEWPID | _NEWIPC | _NEWUTS | (0 if network else _NEWNET)
    if os.geteuid() == 0:
        # The way to the folder may be its owner's alone: it is mounted before that is given up.
        _call(_LIBC.unshare(_NEWNS))
        _show_as_tmp(folder)
        _become(first_uid, IDS)
        _call(_LIBC.unshare(others))
    else:
        _become(os.geteuid(), 1)
        _call(_LIBC.unshare(others))
        _show_as_tmp(folder)
    _LIBC.prctl(_PR_SET_PDEATHSIG, _SIGKILL)  # a change of user takes it away


def _show_as_tmp(folder: Path) -> None:
    _mount(None, b"/", None, _RECURSIVE | _PRIVATE)
    _mount(os.fsencode(folder), os.fsencode(SEEN_AS), None, _BIND)


def _become(outside: int, count: int) -> None:
    """Be root of a user namespace whose users are `count` users of the machine, from `outside` on."""
    gid = outside if count > 1 else os.getegid()
    us = os.getpid()
    asked, told = os.pipe(), os.pipe()
    mapper = os.fork()
    if mapper == 0:  # it stays outside, where it may say who is who
        os.read(asked[0], 1)
        with contextlib.suppress(OSError):
            if count == 1:
                Path(f"/proc/{us}/setgroups").write_text("deny", encoding="ascii")
            Path(f"/proc/{us}/uid_map").write_text(f"0 {outside} {count}\n", encoding="ascii")
            Path(f"/proc/{us}/gid_map").write_text(f"0 {gid} {count}\n", encoding="ascii")
            os.write(told[1], b"y")
        os._exit(0)
    os.close(told[1])
    _call(_LIBC.unshare(_NEWUSER))
    os.write(asked[1], b"y")
    done = os.read(told[0], 1)
    os.waitpid(mapper, 0)
    if not done:
        raise OSError(0, "its users cannot be mapped")
    if count > 1:
        os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _limit(memory: int, processes: int, disk: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_FSIZE, disk),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (value, value))


def _mount(source: bytes | None, target: bytes, kind: bytes | None, flags: int) -> None:
    _call(_LIBC.mount(source, target, kind, ctypes.c_ulong(flags), None))


def _call(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class ContextRefused(Exception):
    """The archive is none, is too large, or reaches out of its folder; the message says which."""


class _Bounded:
    """A stream that gives so many bytes and no more."""

    def __init__(self, stream: gzip.GzipFile, most: int) -> None:
        self._stream = stream
        self._left = most
        self._most = most

    def read(self, size: int = -1) -> bytes:
        """As a file does."""
        found = self._stream.read(_PIECE if size < 0 else size)
        self._left -= len(found)
        if self._left < 0:
            raise ContextRefused(f"it unpacks to more than {self._most} bytes")
        return found


def _unpack(archive: Path, target: Path, most_bytes: int, most_files: int) -> None:
    """Unpack a gzip'd tar: files, folders and links within it. Nothing of it lies or leads outside the target.

    Raises:
        ContextRefused: the archive is not one, or not such a one.
    """
    target.mkdir()
    links: list[Path] = []
    try:
        with (
            gzip.open(archive) as stream,
            tarfile.open(fileobj=_Bounded(stream, most_bytes), mode="r|") as members,  # type: ignore[call-overload]
        ):
            for count, member in enumerate(members, 1):
                if count > most_files:
                    raise ContextRefused(f"it has more than {most_files} files and folders")
                if member.name.strip("/."):  # az begins with a folder that has no name
                    _put(members, member, target, links)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, RecursionError) as error:
        raise ContextRefused(f"it cannot be read as a gzip'd tar: {error}") from None
    for link in links:  # now that all are there: one may lead over another
        if not Path(os.path.realpath(link)).is_relative_to(target):
            raise ContextRefused(f"the link {link.relative_to(target)} leads out of the context")


def _put(members: tarfile.TarFile, member: tarfile.TarInfo, target: Path, links: list[Path]) -> None:
    """One member in its place."""
    place = _within(target, member.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
        return
    place.unlink(missing_ok=True)  # the last of several counts
    if member.issym():
        place.symlink_to(member.linkname)
        links.append(place)
    elif member.islnk():
        place.hardlink_to(_within(target, member.linkname))
    elif member.isfile():
        _write(members, member, place)
    else:
        raise ContextRefused(f"{member.name[:200]!r} is neither a file, a folder nor a link")


def _within(target: Path, name: str) -> Path:
    """Where a name is; no part of the way to it may be a link, nor the end of it one that is written through."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise ContextRefused(f"{name[:200]!r} is no path within the context")
    place = target
    for part in parts[:-1]:
        place /= part
        if place.is_symlink():
            raise ContextRefused(f"{name[:200]!r} lies behind a link")
    return place / parts[-1]


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    stream = members.extractfile(member)
    if stream is None:
        raise ContextRefused(f"{member.name[:200]!r} has no content")
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while piece := stream.read(_PIECE):
            file.write(piece)
        os.fchmod(file.fileno(), (member.mode & 0o755) | 0o600)


if __name__ == "__main__":
    sys.exit(main())
