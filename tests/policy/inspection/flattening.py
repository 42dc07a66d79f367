"""A second opinion on what a stack of layers makes: an actual tree in memory, every entry applied as an unpacker does.

Slow and obvious on purpose, and independent of the inspection: no index, no laziness, no order but the archive's. It
puts one layer over the other, and stops where docker, containerd or podman would.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.corpus.tarballs import Entry

LINKS = 40


class CannotUnpack(Exception):
    """An unpacker stops here with an error."""


@dataclass
class Thing:
    """A file, link, device or directory, and the layer that made it."""

    kind: str
    layer: int
    content: str = ""
    children: dict[str, "Thing"] = field(default_factory=dict)
    names: list["Thing"] = field(default_factory=list, repr=False)


class Disk:
    """A root directory that layers are unpacked onto, one after the other."""

    def __init__(self, *, patient: bool) -> None:
        self.root = Thing("directory", -1)
        self._patient = patient
        self._late = False
        self._passed: set[int] = set()
        self._named: set[int] = set()
        self._unnamed: set[int] = set()

    def unpack(self, entries: Sequence[Entry], layer: int) -> None:
        """Apply one layer; hard links whose target is not there yet wait for its end (no unpacker is so patient)."""
        names = [tuple(part for part in entry.path.split("/") if part not in {"", "."}) for entry in entries]
        if len(set(names)) < len(names):
            raise CannotUnpack("a path stands twice")
        self._passed, self._named, self._unnamed = set(), set(), set()
        self._late = False
        waiting = [entry for entry in entries if not self._apply(entry, layer)]
        for waiter in waiting:
            if sum(f"{entry.path}/".startswith(f"{waiter.path}/") for entry in entries) > 1:
                raise CannotUnpack("a hard link waits for its target, and something else wants its place")
        if waiting and not self._patient:
            raise CannotUnpack("a hard link to what comes later")
        self._late = True
        for _ in list(waiting):
            waiting = [entry for entry in waiting if not self._apply(entry, layer)]
        if waiting:
            raise CannotUnpack("a hard link to nothing")

    def _apply(self, entry: Entry, layer: int) -> bool:
        parts = [part for part in entry.path.split("/") if part not in {"", "."}]
        if not parts:
            return True
        parent = self._walk(self.root, parts[:-1], make=layer)
        name = parts[-1]
        if name == ".wh..wh..opq":
            if self._has_unnamed(parent):
                raise CannotUnpack("a marker after members of directories that the layer does not name")
            self._clear(parent, layer)
        elif name.startswith(".wh."):
            self._delete(parent, name[4:], layer)
        elif entry.kind == "5":
            self._directory(parent, name, layer)
        elif entry.kind == "1":
            return self._hard_link(parent, name, entry, layer)
        else:
            kind = {"0": "program" if entry.mode & 0o111 else "file", "2": "link"}.get(entry.kind, "device")
            content = str(entry.link) if entry.kind == "2" else entry.body.decode()
            parent.children[name] = Thing(kind, layer, content)
        return True

    def _directory(self, parent: Thing, name: str, layer: int) -> None:
        there = parent.children.get(name)
        if there is None or there.kind != "directory":
            parent.children[name] = Thing("directory", layer)
        else:
            there.layer = layer
        self._named.add(id(parent.children[name]))

    def _hard_link(self, parent: Thing, name: str, entry: Entry, layer: int) -> bool:
        parts = [part for part in str(entry.link).split("/") if part not in {"", "."}]
        try:
            home = self._walk(self.root, parts[:-1], make=None)
        except CannotUnpack:
            return False
        target = home.children.get(parts[-1])
        if target is None:
            return False
        if target.kind == "directory":
            raise CannotUnpack("a hard link to a directory")
        kind = "program" if entry.mode & 0o111 else "file"
        if target.kind in {"program", "file"} and target.kind != kind:
            self._give_mode(target, kind, layer)
        parent.children[name] = Thing(target.kind, layer, target.content, names=target.names)
        target.names.append(parent.children[name])
        return True

    def _give_mode(self, target: Thing, kind: str, layer: int) -> None:
        """All names of a file share its mode."""
        if target.layer != layer or self._late:
            raise CannotUnpack("a hard link gives an older layer's file another mode")
        for name in (target, *target.names):
            name.kind = kind

    def _walk(self, start: Thing, parts: Sequence[str], make: int | None) -> Thing:
        """The directory that a path leads to, links followed from the root, made when missing."""
        trail = [start]
        todo = list(parts)
        followed = 0
        while todo:
            part = todo.pop(0)
            if part in {"", "."}:
                continue
            if part == "..":
                trail = trail[:-1] or [self.root]
                continue
            there = trail[-1].children.get(part)
            if there is None and make is not None:
                there = trail[-1].children[part] = Thing("directory", make)
            if there is None:
                raise CannotUnpack(f"{part} is missing")
            if there.kind == "link":
                followed += 1
                if followed > LINKS:
                    raise CannotUnpack("links in a circle")
                todo = there.content.split("/") + todo
                trail = [self.root] if there.content.startswith("/") else trail
            elif there.kind == "directory":
                trail.append(there)
                self._pass(there) if make is not None else None
            else:
                raise CannotUnpack(f"{part} is no directory")
        return trail[-1]

    def _delete(self, parent: Thing, name: str, layer: int) -> None:
        """What older layers have at a name goes; what this layer made stays."""
        there = parent.children.get(name)
        if there is not None and self._is_touched(there, layer):
            raise CannotUnpack("a whiteout after what it names")
        parent.children.pop(name, None)

    def _pass(self, directory: Thing) -> None:
        self._passed.add(id(directory))
        if id(directory) not in self._named:
            self._unnamed.add(id(directory))

    def _has_unnamed(self, thing: Thing) -> bool:
        return any(id(child) in self._unnamed or self._has_unnamed(child) for child in thing.children.values())

    def _is_touched(self, thing: Thing, layer: int) -> bool:
        """Whether the layer has made it, or has gone through it."""
        touched = thing.layer == layer or id(thing) in self._passed
        return touched or any(self._is_touched(child, layer) for child in thing.children.values())

    def _clear(self, directory: Thing, layer: int) -> None:
        for name, child in list(directory.children.items()):
            if not self._prune(child, layer):
                del directory.children[name]

    def _prune(self, thing: Thing, layer: int) -> bool:
        """Whether anything of this layer is left."""
        self._clear(thing, layer)
        return thing.layer == layer or bool(thing.children)

    def things(self) -> Iterator[tuple[str, str, str]]:
        """Path, kind and content of everything but directories."""
        yield from self._things(self.root, "")

    def _things(self, directory: Thing, front: str) -> Iterator[tuple[str, str, str]]:
        for name, thing in sorted(directory.children.items()):
            if thing.kind == "directory":
                yield from self._things(thing, f"{front}{name}/")
            else:
                yield front + name, thing.kind, thing.content


def flattened(layers: Sequence[Sequence[Entry]], *, patient: bool = True) -> dict[str, tuple[str, str]]:
    """Path -> kind and content of everything but directories, after all layers.

    Args:
        layers: oldest first.
        patient: whether a hard link may wait for what its layer brings later.

    Raises:
        CannotUnpack: an unpacker would stop with an error.
    """
    disk = Disk(patient=patient)
    for number, entries in enumerate(layers):
        disk.unpack(entries, number)
    return {path: (kind, content) for path, kind, content in disk.things()}
