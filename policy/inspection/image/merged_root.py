"""The root file system of an image, looked up path by path, without merging or reading layers.

A path is looked up as in an overlay file system: from the newest layer down, until a layer has an entry for it or hides
older layers (a whiteout, an opaque directory, a non-directory in its place). Links are resolved inside the root, at
most 40 of them; `..` stops at the root.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from policy.inspection.archive.names import shown
from policy.inspection.image.layer_view import LayerView
from policy.inspection.layer.permissions import Access
from policy.inspection.layer.records import Record
from policy.inspection.layer.tree import DIRECTORIES, FRESH, LINKS_AT_MOST

_GONE = frozenset({b"w", b"o0"})
_NAMED = frozenset({b"d", b"D"})
_USUAL_DIRECTORY = Access(0o755)
_LAYERS_A_STEP = 4
"""Layers that are looked at in the time of one part of a path."""


class RootUnclear(Exception):
    """What a runtime would show cannot be known from the image; the message says why.

    Attributes:
        reason: a stable word, as in `policy.inspection.facts.Problem`.
    """

    def __init__(self, message: str, reason: str = "unclear-root") -> None:
        super().__init__(message)
        self.reason = reason


class TooManySteps(RootUnclear):
    """Looking files up takes longer than one image is granted."""


class Steps:
    """What finding files in an image may cost, in all of its roots together: about a microsecond each.

    Args:
        most: how many there are.
    """

    __slots__ = ("_left", "_most")

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def take(self, count: int = 1) -> None:
        """Go so many steps.

        Raises:
            TooManySteps: there are not that many left.
        """
        self._left -= count
        if self._left < 0:
            raise TooManySteps(f"finding files in the image takes more than {self._most} steps", "budget")


class Viewer(Protocol):
    """The permissions with which a path is looked up."""

    def may_search(self, directory: "Node") -> bool:
        """Whether it may look names up in the directory."""
        ...

    def reaches(self, path: bytes, node: "Node | None", directory: "Node") -> None:
        """Called for each path on the way; raises `RootUnclear` when only a runtime knows what is there."""
        ...


@dataclass(frozen=True, slots=True)
class Node:
    """An entry of the root, with links in its parents resolved.

    Attributes:
        path: its path from the root, without links.
        entry: its kind and details (policy/inspection/layer/tree.py).
        index: of the layer with its content.
        record: of a detector that read it, if any.
        origin: its path in that layer; differs from `path` for a hard link to an older layer's file.
    """

    path: bytes
    entry: bytes
    index: int
    record: Record | None = None
    origin: bytes = b""

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.entry[:1] in {b"f", b"x"}

    @property
    def is_executable(self) -> bool:
        """Whether it is a regular file with an execute bit."""
        return self.entry[:1] == b"x"

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.entry[0] in DIRECTORIES

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.entry[:1] == b"l"

    @property
    def size(self) -> int:
        """The size of a regular file in bytes, else 0."""
        return int(self.entry[1:]) if self.is_file else 0


ROOT = Node(b"", b"d", 0)


class MergedRoot:
    """Tiers, oldest first, seen as one root. What was looked up once is remembered.

    Args:
        layers: the tiers.
        steps: what lookups may cost; they raise `TooManySteps` beyond.
    """

    def __init__(self, layers: Sequence[LayerView], steps: Steps) -> None:
        self.layers = tuple(layers)
        self.steps = steps
        self._through_all = 1 + len(self.layers) // _LAYERS_A_STEP
        self._floors: dict[bytes, int | None] = {}
        self._nodes: dict[bytes, Node | None] = {}
        self._below: dict[int, MergedRoot] = {}
        self._resolving: set[bytes] = set()

    def node_at(self, path: bytes) -> Node | None:
        """The node at a path without links in its parents; a link itself is not followed.

        Raises:
            RootUnclear: a hard link to a file that no layer has.
        """
        if path not in self._nodes:
            self._nodes[path] = self._look_up(path)
        return self._nodes[path]

    def _look_up(self, path: bytes) -> Node | None:
        if not path:
            return ROOT
        self.steps.take(self._through_all)
        floor = self._floor(path.rpartition(b"/")[0])
        if floor is None:
            return None
        for index in range(len(self.layers) - 1, floor - 1, -1):
            entry = self.layers[index].entries.get(path)
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
        return Node(path, entry, index, self.layers[index].records.get(path))

    def _hard(self, path: bytes, target: bytes, index: int) -> Node:
        """Resolve a hard link to a file of older layers, else to a later member of its own layer."""
        if path in self._resolving or len(self._resolving) > LINKS_AT_MOST:
            raise RootUnclear(f"{shown(path)} is a hard link to a hard link, without an end")
        self._resolving.add(path)
        node = self.below(index).resolve_parents(target) or self.below(index + 1).resolve_parents(target)
        self._resolving.discard(path)
        if node is None or node.is_directory:
            raise RootUnclear(f"{shown(path)} is a hard link to {shown(target)}, which is no file of its image")
        return Node(path, node.entry, node.index, node.record, node.origin or node.path)

    def access_of(self, node: Node) -> Access:
        """Mode and owner of a file or link; owner and group are 0 when the mode grants everybody the same."""
        note = self.layers[node.index].access.get(node.origin or node.path)
        if note is not None:
            return Access.of(note)
        return Access(0o755 if node.entry[:1] in {b"x", b"l"} else 0o644)

    def access_of_directory(self, path: bytes) -> tuple[Access, str]:
        """Mode and owner of a directory, and why runtimes disagree on them; "" when they agree.

        A newer layer may have members below it but none for it: docker then opens it to everybody, others leave it as
        it was. docker skips a member for the root itself.
        """
        self.steps.take(self._through_all)
        unnamed = -1
        for index in range(len(self.layers) - 1, (self._floor(path) or 0) - 1, -1):
            entry = self.layers[index].entries.get(path)
            if entry is None:
                continue
            if entry not in _NAMED:
                unnamed = index if unnamed < 0 else unnamed
                continue
            note = self.layers[index].access.get(path)
            if note is None:
                return _USUAL_DIRECTORY, ""
            how = f"layer {index} does not open /{shown(path)} to everybody"
            if not path:
                return Access.of(note), f"{how}, and docker skips what a layer says of the root"
            why = f"{how}, and layer {unnamed} has members below it without naming it" if unnamed >= 0 else ""
            return Access.of(note), why
        return _USUAL_DIRECTORY, ""

    def resolve_parents(self, path: bytes) -> Node | None:
        """The node at a path; links in its parents are followed, a link itself is not."""
        parent, _, base = path.rpartition(b"/")
        home = self.find(parent)
        if home is None or not home.is_directory:
            return None
        return self.node_at(home.path + b"/" + base if home.path else base)

    def below(self, index: int) -> "MergedRoot":
        """The root of the layers below this one."""
        if index >= len(self.layers):
            return self
        if index not in self._below:
            self._below[index] = MergedRoot(self.layers[:index], self.steps)
        return self._below[index]

    def _floor(self, directory: bytes) -> int | None:
        """The oldest layer that is visible in a directory; `None` when the path is no directory."""
        unknown = []
        while directory not in self._floors:
            unknown.append(directory)
            if not directory:
                break
            directory = directory.rpartition(b"/")[0]
        for path in reversed(unknown):
            self._floors[path] = self._dig(path)
        return self._floors[unknown[0] if unknown else directory]

    def _dig(self, directory: bytes) -> int | None:
        floor = self._floors[directory.rpartition(b"/")[0]] if directory else 0
        if floor is None:
            return None
        self.steps.take(self._through_all)
        seen = not directory
        for index in range(len(self.layers) - 1, floor - 1, -1):
            entry = self.layers[index].entries.get(directory)
            if entry is None:
                continue
            if entry[0] not in DIRECTORIES:
                return index + 1 if seen else None
            seen = True
            if entry[0] in FRESH:
                return index
        return floor if seen else None

    def find(self, path: bytes) -> Node | None:
        """The node that a path resolves to, links followed; `None` when there is none or links form a circle."""
        return self.follow(path)[0]

    def follow(
        self, path: bytes, start: Node = ROOT, viewer: Viewer | None = None
    ) -> tuple[Node | None, tuple[Node, ...]]:
        """The node that a path resolves to, and the links on the way (path_resolution(7)).

        Args:
            path: as written; with a leading `/` it starts at the root, whatever `start` is.
            start: where a relative path begins.
            viewer: the permissions to apply; `None` for none.
        """
        todo = path.split(b"/")[::-1]
        node = ROOT if path.startswith(b"/") else start
        links: list[Node] = []
        while todo:
            self.steps.take()
            part = todo.pop()
            # The part before a slash must be a directory, also at the end of the path.
            if not node.is_directory:
                return None, tuple(links)
            if not part:
                continue
            if viewer is not None and not viewer.may_search(node):
                return None, tuple(links)
            if part in {b".", b".."}:
                node = node if part == b"." else self.node_at(node.path.rpartition(b"/")[0]) or node
                continue
            child = self._step(node, part, viewer)
            if child is None or (child.is_link and len(links) == LINKS_AT_MOST):
                return None, tuple(links)
            if child.is_link:
                links.append(child)
                target = child.entry[1:]
                todo.extend(target.split(b"/")[::-1])
                node = ROOT if target.startswith(b"/") else node
            else:
                node = child
        return node, tuple(links)

    def _step(self, directory: Node, name: bytes, viewer: Viewer | None) -> Node | None:
        place = directory.path + b"/" + name if directory.path else name
        node = self.node_at(place)
        if viewer is not None:
            viewer.reaches(place, node, directory)
        return node

    def candidates(self, name: re.Pattern[bytes]) -> Iterator[tuple[int, bytes]]:
        """Layer and path of every record and wanted link with a matching file name, oldest layer first."""
        for index, layer in enumerate(self.layers):
            for path in sorted({*layer.records, *layer.named}):
                if name.fullmatch(path.rpartition(b"/")[2]):
                    yield index, path

    def shows(self, index: int, path: bytes) -> bool:
        """Whether the root shows this layer's entry at a path."""
        self.steps.take(self._through_all)
        floor = self._floor(path.rpartition(b"/")[0])
        if floor is None or index < floor:
            return False
        return not any(layer.entries.get(path) is not None for layer in self.layers[index + 1 :])

    def hidden_by(self, index: int, path: bytes) -> int:
        """The first newer layer that hides this layer's entry at a path; -1 when none does."""
        self.steps.take(self._through_all)
        parts = path.split(b"/")
        parents = [b"/".join(parts[:count]) for count in range(len(parts))]
        for newer in range(index + 1, len(self.layers)):
            entries = self.layers[newer].entries
            if entries.get(path) is not None:
                return newer
            above = [entry for entry in map(entries.get, parents) if entry is not None]
            if any(entry[0] not in DIRECTORIES or entry[0] in FRESH for entry in above):
                return newer
        return -1
