"""The root file system an image would start from, looked up path by path: no layer is merged, none is read.

A path is looked up as an overlay file system does: from the newest layer down, until a layer says what stands there or
hides what is older (a whiteout, an opaque directory, something that is not a directory in its place). Links are
resolved inside the root only, at most 40 of them, `..` stops at the root.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from policy.inspection.archive.names import shown
from policy.inspection.layer.path_table import Entries, OpenTable
from policy.inspection.layer.permissions import Access
from policy.inspection.layer.records import Record
from policy.inspection.layer.report import LayerInspection
from policy.inspection.layer.tree import DIRECTORIES, FRESH, LINKS_AT_MOST

_GONE = frozenset({b"w", b"o0"})
_NAMED = frozenset({b"d", b"D"})
_USUAL_DIRECTORY = Access(0o755)


class RootUnclear(Exception):
    """What a runtime would show cannot be told from what is known of the image; the message says why.

    Attributes:
        reason: a stable word, as in `policy.inspection.facts.Problem`.
    """

    def __init__(self, message: str, reason: str = "unclear-root") -> None:
        super().__init__(message)
        self.reason = reason


class Viewer(Protocol):
    """As whom a path is looked up."""

    def may_search(self, directory: "Node") -> bool:
        """Whether names in the directory can be looked up."""
        ...

    def reaches(self, path: bytes, found: "Node | None", directory: "Node") -> None:
        """A path on the way; raises `RootUnclear` where only a runtime knows what stands there."""
        ...


class _Merging:
    """The entries of a layer, with one kind of entry in place of another."""

    __slots__ = ("_entries", "_kind")

    def __init__(self, entries: Entries, kind: bytes) -> None:
        self._entries = entries
        self._kind = kind

    def get(self, path: bytes) -> bytes | None:
        entry = self._entries.get(path)
        return self._kind if entry == b"m" else entry


@dataclass(frozen=True, slots=True)
class Tier:
    """A layer as it takes part in a root.

    Attributes:
        entries: its structural index.
        records: what detectors read in it, by path.
        named: paths of links that bear a name a detector wants.
        links: paths of all its symbolic links.
        implicit: its directories that are not named: only something below them is.
        late: its directories that were used before they were named or replaced.
        access: mode and owner of what has not the usual ones, by path.
        outside: its hard links to what older layers have.
        access_list: its first member with an access control list.
    """

    entries: Entries
    records: Mapping[bytes, Record]
    named: frozenset[bytes]
    links: frozenset[bytes]
    implicit: tuple[bytes, ...]
    late: frozenset[bytes]
    access: Entries
    outside: tuple[bytes, ...] = ()
    access_list: bytes = b""

    @classmethod
    def of(cls, layer: LayerInspection, *, merges: bool) -> "Tier":
        """The layer as it was inspected.

        Args:
            layer: the layer.
            merges: whether a directory in place of a whiteout of its layer shows what older layers have, as overlay
                file systems do.
        """
        entries: Entries = OpenTable(layer.table)
        if layer.merging:
            entries = _Merging(entries, b"d" if merges else b"D")
        return cls(
            entries,
            layer.records,
            frozenset(layer.named),
            frozenset(layer.links),
            layer.implicit,
            frozenset(layer.late),
            OpenTable(layer.access),
            layer.outside,
            layer.access_list,
        )


@dataclass(frozen=True, slots=True)
class Node:
    """What stands at a path, links in front of it resolved.

    Attributes:
        path: where it stands, from the root, without links in its parents.
        entry: its kind and more (policy/inspection/layer/tree.py).
        index: the layer that brought its content.
        record: what a detector read in it, if one did.
        origin: the path that its layer knows it by; another than `path` for a hard link to an older layer's file.
    """

    path: bytes
    entry: bytes
    index: int
    record: Record | None = None
    origin: bytes = b""

    @property
    def is_file(self) -> bool:
        """A regular file."""
        return self.entry[:1] in {b"f", b"x"}

    @property
    def is_executable(self) -> bool:
        """A regular file with an execute bit."""
        return self.entry[:1] == b"x"

    @property
    def is_directory(self) -> bool:
        """A directory."""
        return self.entry[0] in DIRECTORIES

    @property
    def is_link(self) -> bool:
        """A symbolic link."""
        return self.entry[:1] == b"l"

    @property
    def size(self) -> int:
        """Bytes of a regular file."""
        return int(self.entry[1:]) if self.is_file else 0


ROOT = Node(b"", b"d", 0)


class MergedRoot:
    """Tiers, oldest first, seen as one root. What was looked up once is remembered."""

    def __init__(self, tiers: Sequence[Tier]) -> None:
        self.tiers = tuple(tiers)
        self._floors: dict[bytes, int | None] = {}
        self._nodes: dict[bytes, Node | None] = {}
        self._below: dict[int, MergedRoot] = {}
        self._resolving: set[bytes] = set()

    def at(self, path: bytes) -> Node | None:
        """What stands at a path whose parents are no links; a link itself is not followed.

        Raises:
            RootUnclear: a hard link to something that no layer has.
        """
        if path not in self._nodes:
            self._nodes[path] = self._look(path)
        return self._nodes[path]

    def _look(self, path: bytes) -> Node | None:
        if not path:
            return ROOT
        floor = self._floor(path.rpartition(b"/")[0])
        if floor is None:
            return None
        for index in range(len(self.tiers) - 1, floor - 1, -1):
            entry = self.tiers[index].entries.get(path)
            if entry is not None:
                return self._node(path, entry, index)
        return None

    def _node(self, path: bytes, entry: bytes, index: int) -> Node | None:
        if entry in _GONE:
            return None
        if entry[:1] == b"h":
            return self._hard(path, entry[1:], index)
        if entry == b"?":
            raise RootUnclear(
                f"{shown(path)} in layer {index} begins as AUFS's own files do: docker unpacks it, containerd does not"
            )
        return Node(path, entry, index, self.tiers[index].records.get(path))

    def _hard(self, path: bytes, target: bytes, index: int) -> Node:
        """A hard link to what older layers have, else to what its own layer brings later."""
        if path in self._resolving or len(self._resolving) > LINKS_AT_MOST:
            raise RootUnclear(f"{shown(path)} is a hard link to a hard link, without an end")
        self._resolving.add(path)
        found = self.below(index).place(target) or self.below(index + 1).place(target)
        self._resolving.discard(path)
        if found is None or found.is_directory:
            raise RootUnclear(f"{shown(path)} is a hard link to {shown(target)}, which is no file of its image")
        return Node(path, found.entry, found.index, found.record, found.origin or found.path)

    def access_of(self, node: Node) -> Access:
        """Mode and owner of a file or link; owner and group are 0 where the mode grants everybody the same."""
        note = self.tiers[node.index].access.get(node.origin or node.path)
        if note is not None:
            return Access.of(note)
        return Access(0o755 if node.entry[:1] in {b"x", b"l"} else 0o644)

    def access_of_directory(self, path: bytes) -> tuple[Access, str]:
        """Mode and owner of a directory, and why runtimes disagree on them; "" when they do not.

        A newer layer may have members below it without naming it: docker then opens it to everybody, others leave it
        as it was. A member that names the root itself is skipped by docker.
        """
        unnamed = -1
        for index in range(len(self.tiers) - 1, (self._floor(path) or 0) - 1, -1):
            entry = self.tiers[index].entries.get(path)
            if entry is None:
                continue
            if entry not in _NAMED:
                unnamed = index if unnamed < 0 else unnamed
                continue
            note = self.tiers[index].access.get(path)
            if note is None:
                return _USUAL_DIRECTORY, ""
            how = f"layer {index} does not open /{shown(path)} to everybody"
            if not path:
                return Access.of(note), f"{how}, and docker skips what a layer says of the root"
            why = f"{how}, and layer {unnamed} has members below it without naming it" if unnamed >= 0 else ""
            return Access.of(note), why
        return _USUAL_DIRECTORY, ""

    def place(self, path: bytes) -> Node | None:
        """What stands at a path, links in front of it followed, itself not."""
        parent, _, base = path.rpartition(b"/")
        home = self.find(parent)
        if home is None or not home.is_directory:
            return None
        return self.at(home.path + b"/" + base if home.path else base)

    def below(self, index: int) -> "MergedRoot":
        """The root that the layers under this one make."""
        if index >= len(self.tiers):
            return self
        if index not in self._below:
            self._below[index] = MergedRoot(self.tiers[:index])
        return self._below[index]

    def _floor(self, directory: bytes) -> int | None:
        """The oldest layer that still shows through in a directory; `None` when no directory stands there."""
        unknown = []
        while directory not in self._floors:
            unknown.append(directory)
            if not directory:
                break
            directory = directory.rpartition(b"/")[0]
        for known in reversed(unknown):
            self._floors[known] = self._dig(known)
        return self._floors[unknown[0] if unknown else directory]

    def _dig(self, directory: bytes) -> int | None:
        floor = self._floors[directory.rpartition(b"/")[0]] if directory else 0
        if floor is None:
            return None
        seen = not directory
        for index in range(len(self.tiers) - 1, floor - 1, -1):
            entry = self.tiers[index].entries.get(directory)
            if entry is None:
                continue
            if entry[0] not in DIRECTORIES:
                return index + 1 if seen else None
            seen = True
            if entry[0] in FRESH:
                return index
        return floor if seen else None

    def find(self, path: bytes) -> Node | None:
        """What a path leads to, every link followed; `None` when it leads nowhere or round in a circle."""
        return self.follow(path)[0]

    def follow(
        self, path: bytes, start: Node = ROOT, viewer: Viewer | None = None
    ) -> tuple[Node | None, tuple[Node, ...]]:
        """What a path leads to, and the links on the way (path_resolution(7)).

        Args:
            path: as written; one that begins with `/` starts at the root whatever `start` is.
            start: where a relative path begins.
            viewer: as whom; everything can be searched when `None`.
        """
        todo = path.split(b"/")[::-1]
        at = ROOT if path.startswith(b"/") else start
        links: list[Node] = []
        while todo:
            part = todo.pop()
            # What stands before a slash must be a directory, also when nothing follows the slash.
            if not at.is_directory:
                return None, tuple(links)
            if not part:
                continue
            if viewer is not None and not viewer.may_search(at):
                return None, tuple(links)
            if part in {b".", b".."}:
                at = at if part == b"." else self.at(at.path.rpartition(b"/")[0]) or at
                continue
            found = self._step(at, part, viewer)
            if found is None or (found.is_link and len(links) == LINKS_AT_MOST):
                return None, tuple(links)
            if found.is_link:
                links.append(found)
                target = found.entry[1:]
                todo.extend(target.split(b"/")[::-1])
                at = ROOT if target.startswith(b"/") else at
            else:
                at = found
        return at, tuple(links)

    def _step(self, directory: Node, name: bytes, viewer: Viewer | None) -> Node | None:
        place = directory.path + b"/" + name if directory.path else name
        found = self.at(place)
        if viewer is not None:
            viewer.reaches(place, found, directory)
        return found

    def candidates(self, name: re.Pattern[bytes]) -> Iterator[tuple[int, bytes]]:
        """Layer and path of every record and wanted link whose last part matches, oldest layer first, in order."""
        for index, tier in enumerate(self.tiers):
            for path in sorted({*tier.records, *tier.named}):
                if name.fullmatch(path.rpartition(b"/")[2]):
                    yield index, path

    def shows(self, index: int, path: bytes) -> bool:
        """Whether what this layer has at a path is what the root shows there."""
        floor = self._floor(path.rpartition(b"/")[0])
        if floor is None or index < floor:
            return False
        return not any(tier.entries.get(path) is not None for tier in self.tiers[index + 1 :])

    def hidden_by(self, index: int, path: bytes) -> int:
        """The first newer layer that hides what this layer has at a path; -1 when none does."""
        parts = path.split(b"/")
        parents = [b"/".join(parts[:count]) for count in range(len(parts))]
        for newer in range(index + 1, len(self.tiers)):
            entries = self.tiers[newer].entries
            if entries.get(path) is not None:
                return newer
            above = [entry for entry in map(entries.get, parents) if entry is not None]
            if any(entry[0] not in DIRECTORIES or entry[0] in FRESH for entry in above):
                return newer
        return -1
