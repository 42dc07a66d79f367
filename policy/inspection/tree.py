"""What one layer does to a root: its members applied in order, as one final entry per path.

An entry is `bytes`: one letter for its kind, then what the kind needs.

    f123  a file of 123 bytes         x123  the same with an execute bit      lTARGET  a symbolic link
    hPATH a hard link to what older layers have, or this one brings later     o        a device node or FIFO
    d     a directory: older children stay                                    D        one without older children
    i I   the same, but never named itself: only something below it was
    w     a whiteout: what older layers have here is gone

Order within the layer counts: a directory over a directory merges, anything else replaces what was there with all that
is below. Parents that are links in the same layer are followed, as every unpacker does.
"""

import re

from policy.inspection.budgets import Budgets, hostile, over_budget

_WHITEOUT = b".wh."
_METADATA = b".wh..wh."
_OPAQUE = b".wh..wh..opq"
DIRECTORIES = frozenset(b"dDiI")
FRESH = frozenset(b"DI")
_LINK = ord("l")
_NAMED = {b"i": b"d", b"I": b"D", b"w": b"D"}
_EMPTIED = {b"d": b"D", b"i": b"I"}
_IMPLICIT = frozenset({b"i", b"I"})
_UNKNOWN = frozenset({b"w", b"i", b"I"})
LINKS_AT_MOST = 40
_SIMPLE = re.compile(rb"\.{0,2}+[^./\0][^/\0]*+(?:/\.{0,2}+[^./\0][^/\0]*+)*+").fullmatch


def shown(path: bytes) -> str:
    """A path for a person: control characters and broken UTF-8 escaped, cut when very long."""
    text = path[:400].decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def cleaned(name: bytes) -> bytes:
    """A member's name from the root, without empty parts and `.`.

    Raises:
        LayerRefused: it climbs with `..`, or carries a NUL.
    """
    if name.startswith(b"./"):
        name = name[2:]
    if _SIMPLE(name):
        return name
    parts = [part for part in name.split(b"/") if part and part != b"."]
    if b".." in parts:
        raise hostile(f"member {shown(name)!r} climbs with '..': unpackers disagree on where it lands")
    path = b"/".join(parts)
    if b"\0" in path:
        raise hostile(f"member {shown(name)!r} carries a NUL in its name")
    return path


class LayerTree:
    """The entries of one layer while it is read.

    Attributes:
        entries: path -> entry, as far as the layer has been read.
        late: directories that were used before they were named or replaced: where an older layer has a link in their
            place, what was put below them has gone elsewhere.
    """

    def __init__(self, budgets: Budgets) -> None:
        self.entries: dict[bytes, bytes] = {b"": b"i"}
        self.late: set[bytes] = set()
        self._budgets = budgets
        self._homes: dict[bytes, bytes] = {b"": b""}
        self._names_bytes = 0

    def home(self, path: bytes) -> tuple[bytes, bytes]:
        """The directory a path's last part lands in, links of this layer followed, made when missing; and that part.

        Raises:
            LayerRefused: deeper than the budget, links in a circle, or below something that is not a directory.
        """
        parent, _, base = path.rpartition(b"/")
        found = self._homes.get(parent)
        if found is None:
            found = self._homes[parent] = self._walk(parent, make=True)
        self._count(path)
        return found, base

    def _count(self, name: bytes) -> None:
        self._names_bytes += len(name)
        if self._names_bytes > self._budgets.names_bytes:
            raise over_budget(f"the layer's names take more than {self._budgets.names_bytes} bytes")

    def _walk(self, parent: bytes, *, make: bool) -> bytes:
        if parent.count(b"/") >= self._budgets.path_depth:
            raise over_budget(f"a path has more than {self._budgets.path_depth} parts")
        above, _, base = parent.rpartition(b"/")
        known = self._homes.get(above) == above  # seen before, and there is no link in it
        at, todo = (above, [base]) if known else (b"", parent.split(b"/")[::-1])
        followed = 0
        while todo:
            part = todo.pop()
            if part in {b"", b"."}:
                continue
            if part == b"..":
                at = at.rpartition(b"/")[0]
                continue
            path = at + b"/" + part if at else part
            entry = self.entries.get(path)
            if entry is None or entry == b"w":
                entry = b"D" if entry else b"i"
                if make:
                    self._count(path)
                    self.entries[path] = entry
            if entry[0] == _LINK:
                followed += 1
                if followed > LINKS_AT_MOST:
                    raise hostile(f"the links in front of {shown(parent)!r} go round in a circle")
                target = entry[1:]
                at = b"" if target.startswith(b"/") else at
                todo.extend(target.split(b"/")[::-1])
            elif entry[0] in DIRECTORIES:
                at = path
            else:
                raise hostile(f"members stand below {shown(path)!r}, which the same layer made something else")
        return at

    def place(self, home: bytes, base: bytes) -> bytes:
        """A path out of its directory and last part."""
        return home + b"/" + base if home else base

    def directory(self, path: bytes) -> None:
        """A directory is named: it merges with one that is there and replaces anything else."""
        old = self.entries.get(path)
        if old is None:
            self.entries[path] = b"d"
        elif old[0] in DIRECTORIES or old == b"w":
            if old in _IMPLICIT:
                self.late.add(path)
            self.entries[path] = _NAMED.get(old, old)
        else:
            self.entries[path] = b"D"
            self._forget_homes()

    def put(self, path: bytes, entry: bytes) -> bool:
        """Anything but a directory; replaces what was there. Tells whether other entries went with it.

        Raises:
            LayerRefused: it would replace the root.
        """
        if not path:
            raise hostile("a member that is not a directory replaces the root")
        self._count(entry)
        old = self.entries.get(path)
        self.entries[path] = entry
        if old is None or (old[0] not in DIRECTORIES and old[0] != _LINK):
            return False
        self._forget_homes()
        if old[0] == _LINK:
            return False
        below = path + b"/"
        dropped = {name: self.entries.pop(name) for name in [name for name in self.entries if name.startswith(below)]}
        self.late.update(name for name, entry in [*dropped.items(), (path, old)] if entry in _IMPLICIT)
        return True

    def _forget_homes(self) -> None:
        self._homes = {b"": b""}

    def whiteout(self, home: bytes, base: bytes) -> bool:
        """Take a whiteout or AUFS's own files for what they are; False when `base` is an ordinary name.

        Raises:
            LayerRefused: a whiteout of nothing, of the directory itself or of its parent.
        """
        if not base.startswith(_WHITEOUT):
            return False
        if base == _OPAQUE:
            self.entries[home] = _EMPTIED.get(self.entries[home], self.entries[home])
        elif not base.startswith(_METADATA):
            target = base[len(_WHITEOUT) :]
            if target in {b"", b".", b".."}:
                raise hostile(f"whiteout {shown(base)!r} names nothing that could be deleted")
            self._hide(self.place(home, target))
        return True

    def _hide(self, path: bytes) -> None:
        """What older layers have at a path goes; what this layer itself has there stays, in any order."""
        old = self.entries.get(path)
        if old is None:
            self.entries[path] = b"w"
        elif old[0] in DIRECTORIES:
            self.entries[path] = b"D"
            if old in _IMPLICIT:
                self.late.add(path)

    def hard_link(self, path: bytes, target: bytes) -> tuple[bytes, bool]:
        """Make `path` another name of what `target` is now; the path that was copied, b"" when older layers must tell.

        Raises:
            LayerRefused: the target is a directory.
        """
        source = self._existing(target)
        entry = self.entries.get(source, b"w")
        if entry in _UNKNOWN:
            return b"", self.put(path, b"h" + target)
        if source.startswith(path + b"/"):
            raise hostile(f"{shown(path)} is a hard link to {shown(target)}, which it replaces")
        if entry[0] in DIRECTORIES:
            raise hostile(f"{shown(path)} is a hard link to the directory {shown(target)}: no system has such links")
        return source, False if source == path else self.put(path, entry)

    def _existing(self, target: bytes) -> bytes:
        parent, _, base = target.rpartition(b"/")
        home = self._homes.get(parent)
        return self.place(self._walk(parent, make=False) if home is None else home, base)
