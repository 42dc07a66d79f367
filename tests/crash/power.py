"""The power fails: what a folder holds after it, from what was synced before it.

What a file system may do with what was not synced, at its worst (POSIX, fsync(2)): names and bytes are kept or lost
each for themselves, in any order, and writes in parts of 512 bytes. A sync of a file keeps its bytes and not its name;
a sync of a folder keeps the names in it. After a sync that was refused, what it should have kept is lost, although
later syncs succeed.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.crash.notes import Change, Note

_SECTOR = 512


class Loss(StrEnum):
    """What becomes of what was not synced."""

    ALL = "all of it is lost"
    LATER = "what came after some moment is lost"
    SOME = "each of it is lost or not, in parts"
    BYTES = "names and sizes are kept, bytes are lost"


@dataclass(eq=False)
class _File:
    content: bytearray
    mode: int
    waiting: list[tuple[int, Note]] = field(default_factory=list)

    def settle(self) -> None:
        for _, note in self.waiting:
            self.apply(note)
        self.waiting.clear()

    def apply(self, note: Note, length: int | None = None) -> None:
        if note.change is Change.SIZE:
            del self.content[note.offset :]
            self.content.extend(bytes(note.offset - len(self.content)))
            return
        if note.change is Change.MODE:
            self.mode = note.offset
            return
        more = note.more[:length]
        self.content.extend(bytes(max(0, note.offset - len(self.content))))
        self.content[note.offset : note.offset + len(more)] = more


@dataclass(eq=False)
class _Naming:
    """A change of names: what is at a path from then on; `None`: nothing."""

    number: int
    names: dict[str, "_File | None"]

    @property
    def folders(self) -> set[str]:
        return {path.rpartition("/")[0] for path in self.names}


class Disk:
    """A folder on a disk, all of it synced at the beginning.

    Args:
        root: the folder; it is looked at now.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: dict[str, _File] = {}
        self._folders = {str(root)}
        self._inodes: dict[int, _File] = {}
        for path in sorted(root.rglob("*")):
            found = path.lstat()
            if path.is_dir():
                self._folders.add(str(path))
            elif not path.name.endswith("-shm"):
                file = self._inodes.get(found.st_ino)
                file = file or _File(bytearray(path.read_bytes()), found.st_mode & 0o777)
                self._kept[str(path)] = self._inodes[found.st_ino] = file
        self._now: dict[str, _File | None] = dict(self._kept)
        self._waiting: list[_Naming] = []
        self._new_folders: list[tuple[int, str]] = []
        self._number = 0

    def follow(self, notes: Iterable[Note]) -> None:
        """Take in what was done to it."""
        for note in notes:
            self._number += 1
            _TAKE[note.change](self, note)

    def _create(self, note: Note) -> None:
        file = self._inodes[note.inode] = _File(bytearray(), note.offset or 0o600)
        self._name({note.path: file})

    def _write(self, note: Note) -> None:
        if note.inode in self._inodes:
            self._inodes[note.inode].waiting.append((self._number, note))

    def _rename(self, note: Note) -> None:
        self._name({note.path: None, note.more.decode(): self._now.get(note.path)})

    def _link(self, note: Note) -> None:
        self._name({note.more.decode(): self._now.get(note.path)})

    def _unlink(self, note: Note) -> None:
        self._name({note.path: None})

    def _mkdir(self, note: Note) -> None:
        self._new_folders.append((self._number, note.path))

    def _name(self, names: dict[str, _File | None]) -> None:
        self._waiting.append(_Naming(self._number, names))
        self._now.update(names)

    def _sync(self, note: Note) -> None:
        if note.path not in self._folders and all(path != note.path for _, path in self._new_folders):
            if note.inode in self._inodes:
                self._inodes[note.inode].settle()
            return
        self._keep_names(lambda naming: note.path in naming.folders)
        kept = [(number, path) for number, path in self._new_folders if path.rpartition("/")[0] == note.path]
        self._folders.update(path for _, path in kept)
        self._new_folders = [item for item in self._new_folders if item not in kept]

    def _sync_all(self, _note: Note) -> None:
        for file in self._inodes.values():
            file.settle()
        self._keep_names(lambda _naming: True)
        self._folders.update(path for _, path in self._new_folders)
        self._new_folders.clear()

    def _lost(self, note: Note) -> None:
        if note.inode in self._inodes:
            self._inodes[note.inode].waiting.clear()

    def _lost_all(self, _note: Note) -> None:
        for path, file in self._now.items():
            if file is not None and "/blobs/" in path:
                file.waiting.clear()

    def _keep_names(self, which: Callable[[_Naming], bool]) -> None:
        kept = [naming for naming in self._waiting if which(naming)]
        self._waiting = [naming for naming in self._waiting if naming not in kept]
        for naming in kept:
            self._keep(naming)

    def _keep(self, naming: _Naming) -> None:
        for path, file in naming.names.items():
            if file is None:
                self._kept.pop(path, None)
            else:
                self._kept[path] = file

    def fail(self, loss: Loss, chance: random.Random) -> None:
        """The power fails: the folder holds what is left."""
        moment = chance.randrange(self._number + 1)

        def survives(number: int) -> bool:
            if loss is Loss.SOME:
                return chance.random() < 0.5
            return loss is Loss.BYTES or (loss is Loss.LATER and number < moment)

        self._folders.update(path for number, path in self._new_folders if survives(number))
        for naming in self._waiting:
            if survives(naming.number):
                self._keep(naming)
        for file in set(self._inodes.values()):
            for number, note in file.waiting:
                if survives(number):
                    _leave(file, note, loss, chance)
        self._write_out()

    def _write_out(self) -> None:
        for path in sorted(self._root.rglob("*"), reverse=True):
            if path.is_dir() and self._reachable(str(path)):
                continue
            if path.is_dir():
                path.rmdir()
            elif not self._holds(path):
                path.unlink()
        for folder in sorted(self._folders):
            if self._reachable(folder):
                Path(folder).mkdir(mode=0o700, exist_ok=True)
        for name, file in self._kept.items():
            path = Path(name)
            if not self._reachable(str(path.parent)):
                continue
            if not path.exists():
                path.write_bytes(file.content)
            path.chmod(file.mode)

    def _holds(self, path: Path) -> bool:
        file = self._kept.get(str(path))
        return file is not None and self._reachable(str(path.parent)) and path.read_bytes() == file.content

    def _reachable(self, folder: str) -> bool:
        while folder != str(self._root):
            if folder not in self._folders:
                return False
            folder = folder.rpartition("/")[0]
        return True


def _leave(file: _File, note: Note, loss: Loss, chance: random.Random) -> None:
    if loss is Loss.BYTES and note.change is Change.WRITE:
        file.content.extend(bytes(max(0, note.offset + len(note.more) - len(file.content))))
    elif loss is Loss.SOME and note.change is Change.WRITE and chance.random() < 0.5:
        file.apply(note, chance.randrange(0, len(note.more) + 1, _SECTOR))
    else:
        file.apply(note)


_TAKE: dict[Change, Callable[[Disk, Note], None]] = {
    Change.CREATE: Disk._create,  # noqa: SLF001
    Change.WRITE: Disk._write,  # noqa: SLF001
    Change.SIZE: Disk._write,  # noqa: SLF001
    Change.MODE: Disk._write,  # noqa: SLF001
    Change.SYNC: Disk._sync,  # noqa: SLF001
    Change.RENAME: Disk._rename,  # noqa: SLF001
    Change.LINK: Disk._link,  # noqa: SLF001
    Change.UNLINK: Disk._unlink,  # noqa: SLF001
    Change.MKDIR: Disk._mkdir,  # noqa: SLF001
    Change.RMDIR: lambda _self, _note: None,
    Change.SYNC_ALL: Disk._sync_all,  # noqa: SLF001
    Change.LOST: Disk._lost,  # noqa: SLF001
    Change.LOST_ALL: Disk._lost_all,  # noqa: SLF001
}
