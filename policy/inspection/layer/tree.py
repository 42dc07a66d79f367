"""The effect of one layer on a root: its members applied in order, one final entry per path.

An entry is `bytes`: one letter for its kind, then what the kind needs.

    f123  a file of 123 bytes         x123  the same with an execute bit      lTARGET  a symbolic link
    hPATH a hard link to older layers, or to a later member of this one       o        a device node or FIFO
    d     a directory: older children stay                                    D        one without older children
    i I   the same, without a member of its own: only something below it has one
    m     a directory in place of a whiteout or file of the same layer, or an opaque root: overlay file systems show
          older children
    n     a directory that the layer deletes and has something below: only unpackers that delete take it
    w     a whiteout: older layers' content here is gone; `o0`, the device 0/0, is overlayfs's own whiteout
    ?     a name at the root with the prefix of AUFS's own files: docker unpacks it, containerd skips it

Order within the layer counts: a directory merges with a directory; anything else replaces the old entry and everything
below it. Parents that are links in the same layer are followed, as every unpacker does.
"""

from policy.inspection.archive.names import shown
from policy.inspection.budgets import Budgets, LayerRefused, hostile, over_budget
from policy.inspection.layer.permissions import Access

WHITEOUT = b".wh."
OPAQUE = b".wh..wh..opq"
DIRECTORIES = frozenset(b"dDiImn")
FRESH = frozenset(b"DIn")
IMPLICIT = frozenset({b"i", b"I"})
LINKS_AT_MOST = 40
_LINK = ord("l")
_NAMED = {b"i": b"d", b"I": b"D", b"w": b"m", b"n": b"D"}
_EMPTIED = {b"d": b"D", b"i": b"I", b"m": b"D"}
_HIDING = frozenset({b"w", b"D", b"I", b"n", b"m"})
_UNNAMED = frozenset({b"w", b"i", b"I", b"n"})


class Inode:
    """A file with several names: its last hard link decides mode and owner."""

    __slots__ = ("access", "size")

    def __init__(self, size: bytes, access: Access) -> None:
        self.size = size
        self.access = access

    @property
    def entry(self) -> bytes:
        """The entry of each of its names."""
        return (b"x" if self.access.mode & 0o111 else b"f") + self.size


class LayerTree:
    """The entries of one layer while it is read.

    Attributes:
        entries: path -> entry, so far.
        access: path -> note on mode and owner, when they are not the usual ones.
        late: directories that were used before they were named or replaced: if an older layer has a link in their
            place, earlier members below them went elsewhere.
    """

    def __init__(self, budgets: Budgets) -> None:
        self.entries: dict[bytes, bytes] = {b"": b"i"}
        self.access: dict[bytes, bytes] = {}
        self.late: set[bytes] = set()
        self._budgets = budgets
        self._homes: dict[bytes, bytes] = {b"": b""}
        self._names: dict[bytes, bytes] = {}
        self._inodes: dict[bytes, Inode] = {}
        self._names_bytes = 0
        self._above_implicit: set[bytes] = set()

    def home(self, path: bytes) -> tuple[bytes, bytes]:
        """The directory and last part of a path; links of this layer are followed, a missing directory is made.

        Raises:
            LayerRefused: deeper than the budget, links in a circle, or below a non-directory.
        """
        parent, _, base = path.rpartition(b"/")
        directory = self._homes.get(parent)
        if directory is None:
            directory = self._homes[parent] = self._walk(parent, make=True)
        self._count(path)
        return directory, base

    def _count(self, name: bytes) -> None:
        self._names_bytes += len(name)
        if self._names_bytes > self._budgets.names_bytes:
            raise over_budget(f"the layer's names take more than {self._budgets.names_bytes} bytes")

    def _walk(self, parent: bytes, *, make: bool) -> bytes:
        if parent.count(b"/") >= self._budgets.path_depth:
            raise over_budget(f"a path has more than {self._budgets.path_depth} parts")
        above, _, base = parent.rpartition(b"/")
        has_no_links = self._homes.get(above) == above  # seen before, and there is no link in it
        directory, todo = (above, [base]) if has_no_links else (b"", parent.split(b"/")[::-1])
        followed = 0
        while todo:
            part = todo.pop()
            if part in {b"", b"."}:
                continue
            if part == b"..":
                directory = directory.rpartition(b"/")[0]
                continue
            path = directory + b"/" + part if directory else part
            entry = self.entries.get(path)
            if entry is None or entry == b"w":
                entry = b"n" if entry else b"i"
                if make:
                    self._count(path)
                    self.entries[path] = entry
                    self._note_implicit(path)
            if entry[0] == _LINK:
                followed += 1
                if followed > LINKS_AT_MOST:
                    raise hostile(f"the links in front of {shown(parent)!r} go round in a circle")
                target = entry[1:]
                directory = b"" if target.startswith(b"/") else directory
                todo.extend(target.split(b"/")[::-1])
            elif entry[0] in DIRECTORIES:
                directory = path
            else:
                raise hostile(f"members stand below {shown(path)!r}, which the same layer made something else")
        return directory

    def _note_implicit(self, path: bytes) -> None:
        """Remember the parents of an implicit directory."""
        while path:
            path = path.rpartition(b"/")[0]
            if path in self._above_implicit:
                return
            self._above_implicit.add(path)

    def place(self, home: bytes, base: bytes) -> bytes:
        """Join a directory and a last part."""
        return home + b"/" + base if home else base

    def _claim(self, name: bytes, path: bytes, old: bytes | None) -> None:
        """Refuse a name that occurs twice; through a link another name may lead to the same path."""
        if path and old is not None and old not in _UNNAMED and self._names.get(path, path) == name:
            raise LayerRefused(
                "path-twice",
                f"path {shown(name)!r} stands twice in the layer: docker and podman cannot unpack it, others show the "
                "last",
            )
        if name != path:
            self._names[path] = name
        elif self._names:
            self._names.pop(path, None)

    def directory(self, name: bytes, path: bytes) -> None:
        """Add a directory: it merges with a directory and replaces anything else.

        Raises:
            LayerRefused: it occurs twice, or was deleted and has got something below it since.
        """
        old = self.entries.get(path)
        if old == b"n":
            raise LayerRefused(
                "whiteout-order",
                f"{shown(name)!r} is deleted by the layer, has something below it and is brought then: docker and "
                "containerd cannot unpack it, podman's overlay shows what older layers have there, its vfs does not",
            )
        if old is None:
            self.entries[path] = b"d"
            if name != path:
                self._names[path] = name
            return
        self._claim(name, path, old)
        if old[0] in DIRECTORIES or old == b"w":
            if old in IMPLICIT:
                self.late.add(path)
            self.entries[path] = _NAMED.get(old, old)
        else:
            self.entries[path] = b"m"
            self._inodes.pop(path, None)
            self._forget_homes()
        self.access.pop(path, None)

    def put(self, name: bytes, path: bytes, entry: bytes) -> bool:
        """Add anything but a directory, replacing the old entry. Returns whether entries below it were dropped.

        Raises:
            LayerRefused: it would replace the root, or its name occurs twice.
        """
        if not path:
            raise hostile("a member that is not a directory replaces the root")
        self._count(entry)
        old = self.entries.get(path)
        if old is not None or name != path:
            self._claim(name, path, old)
        self.entries[path] = entry
        if old is None:
            return False
        self.access.pop(path, None)
        self._inodes.pop(path, None)
        if old[0] not in DIRECTORIES and old[0] != _LINK:
            return False
        self._forget_homes()
        return old[0] != _LINK and self._drop_below(path, old)

    def _drop_below(self, path: bytes, old: bytes) -> bool:
        below = path + b"/"
        dropped = {name: self.entries.pop(name) for name in [name for name in self.entries if name.startswith(below)]}
        for name in dropped:
            self.access.pop(name, None)
            self._inodes.pop(name, None)
            self._names.pop(name, None)
        self.late.update(name for name, entry in [*dropped.items(), (path, old)] if entry in IMPLICIT)
        return True

    def _forget_homes(self) -> None:
        self._homes = {b"": b""}

    def skip(self, path: bytes) -> None:
        """Add a member at or below a name at the root that some unpackers skip, and others take for a whiteout."""
        first, below, _ = path.partition(b"/")
        self.entries[first if below else first.removeprefix(WHITEOUT)] = b"?"

    def refuse_global(self, name: bytes) -> None:
        """Refuse a global pax header by its name: containerd and podman treat it as a member that leaves nothing.

        They apply a whiteout of that name, delete what the layer has there, and make its directory; docker passes over
        it.

        Raises:
            LayerRefused: the name is a whiteout's or a member's, or its directory is none of this layer's.
        """
        place = self._existing(name)
        home, _, base = place.rpartition(b"/")
        is_alone = place not in self.entries and self.entries.get(home, b"w")[0] in DIRECTORIES
        if not place or (is_alone and not base.startswith(WHITEOUT)):
            return
        raise hostile(
            f"a global pax header is named {shown(name)!r}: containerd and podman delete what is there or make its "
            "directory, docker passes over it"
        )

    def whiteout(self, home: bytes, base: bytes) -> bool:
        """Apply a whiteout or opaque marker; False when `base` is an ordinary name.

        Raises:
            LayerRefused: a whiteout of nothing, of the directory itself or of its parent, or after the path it names;
                a marker after members that some unpackers delete with it.
        """
        if not base.startswith(WHITEOUT):
            return False
        if base == OPAQUE:
            self._refuse_late_marker(home)
            # Overlay file systems know no opaque root; others empty it.
            self.entries[home] = _EMPTIED.get(self.entries[home], self.entries[home]) if home else b"m"
            return True
        target = base[len(WHITEOUT) :]
        if target in {b"", b".", b".."}:
            raise hostile(f"whiteout {shown(base)!r} names nothing that could be deleted")
        self._hide(self.place(home, target))
        return True

    def _refuse_late_marker(self, home: bytes) -> None:
        if home in self._above_implicit:
            raise LayerRefused(
                "whiteout-order",
                f"an opaque marker stands in {shown(home)!r} after members of directories in it that the layer does "
                "not name: podman's vfs deletes them, overlay file systems do not",
            )

    def _hide(self, path: bytes) -> None:
        """Hide a path of older layers."""
        old = self.entries.get(path)
        if old is not None:
            raise LayerRefused(
                "whiteout-order",
                f"a whiteout stands after {shown(path)!r}, which it names, in one layer: docker, containerd and podman "
                "cannot unpack it, others disagree on what is left",
            )
        self.entries[path] = b"w"

    def hard_link(self, name: bytes, path: bytes, target: bytes, access: Access) -> tuple[bytes, bool]:
        """Make `path` another name of `target`; a hard link's mode and owner apply to all names of the file.

        Returns:
            The path that was copied, b"" when `target` is in an older layer; whether entries below were dropped.

        Raises:
            LayerRefused: the target is a directory or deleted by the layer, or the name occurs twice.
        """
        source = self._existing(target)
        entry = self.entries.get(source)
        if entry == b"w" or (entry is None and self._is_emptied(source)):
            raise LayerRefused(
                "whiteout-order",
                f"{shown(path)} is a hard link to {shown(target)}, which the same layer deletes: no unpacker of layers "
                "takes it, others link to what it brings later",
            )
        if entry is None or entry in _UNNAMED:
            purge = self.put(name, path, b"h" + target)
            self.access[path] = bytes(access)
            return b"", purge
        if source.startswith(path + b"/"):
            raise hostile(f"{shown(path)} is a hard link to {shown(target)}, which it replaces")
        if entry[0] in DIRECTORIES:
            raise hostile(f"{shown(path)} is a hard link to the directory {shown(target)}: no system has such links")
        if source == path:
            return source, False
        purge = self.put(name, path, entry)
        if entry[0] in b"fx":
            self._share(source, path, entry, access)
        return source, purge

    def _is_emptied(self, path: bytes) -> bool:
        """Whether the layer hides a path of older layers by its entry for a directory above."""
        while path:
            path = path.rpartition(b"/")[0]
            if self.entries.get(path) in _HIDING:
                return True
        return False

    def _share(self, source: bytes, path: bytes, entry: bytes, access: Access) -> None:
        inode = self._inodes.setdefault(source, Inode(entry[1:], access))
        inode.access = access
        self._inodes[path] = inode

    def _existing(self, target: bytes) -> bytes:
        parent, _, base = target.rpartition(b"/")
        home = self._homes.get(parent)
        return self.place(self._walk(parent, make=False) if home is None else home, base)

    def finish(self) -> None:
        """Finish the layer: every name of a file gets the mode and owner of its last hard link."""
        for path, inode in self._inodes.items():
            self.entries[path] = inode.entry
            self.access.pop(path, None)
            note = inode.access.note_of_file
            if note:
                self.access[path] = note
