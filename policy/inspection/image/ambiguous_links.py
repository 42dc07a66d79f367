"""The two readings of an image on which unpackers disagree.

An overlay file system keeps each layer in a directory of its own, other unpackers put one layer over the other. The
roots differ in two cases:

- A layer has `lib/x` but does not name `lib`, and an older layer made `lib` a link to `usr/lib`: overlay file systems
  put a directory in the link's place, the others follow it (`usr/lib/x`).
- A layer deletes `lib` and has it again as a directory: overlay file systems merge it with the older one, the others
  delete that.

Both roots are built; where what is judged depends on the difference, the image is inconclusive.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from policy.inspection.archive.names import shown
from policy.inspection.image.merged_root import MergedRoot, RootUnclear, Tier
from policy.inspection.layer.permissions import Access
from policy.inspection.layer.report import LayerInspection
from policy.inspection.layer.tree import DIRECTORIES, FRESH, LINKS_AT_MOST

_OUTSIDE_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the two readings of an image part.

    Attributes:
        index: the layer.
        path: the member.
        how: what runtimes do about it, as the end of a sentence.
    """

    index: int
    path: bytes
    how: str

    def __str__(self) -> str:
        """`layer 2 has lib …`."""
        return f"layer {self.index} has {shown(self.path)} {self.how}"


def roots(layers: Iterable[LayerInspection]) -> tuple[MergedRoot, ...]:
    """One root, or two: as overlay file systems show it, and as other unpackers leave it.

    Raises:
        RootUnclear: following a link makes two members collide, or leads round in a circle; a hard link gives an older
            layer's file another mode.
    """
    return readings(layers)[0]


def readings(layers: Iterable[LayerInspection]) -> tuple[tuple[MergedRoot, ...], tuple[Difference, ...]]:
    """The roots, as `roots` gives them, and where they part.

    Raises:
        RootUnclear: as `roots` does.
    """
    inspected = list(layers)
    overlay = [Tier.of(layer, merges=True) for layer in inspected]
    others: list[Tier] = []
    differences: list[Difference] = []
    for index, layer in enumerate(inspected):
        tier = Tier.of(layer, merges=False) if layer.merging else overlay[index]
        redirects = _redirects(tier, others)
        others.append(_moved(tier, layer, redirects) if redirects else tier)
        older = (overlay[:index], others[:index])
        differences += [Difference(index, path, _MERGING) for path in layer.merging if _matters(path, older)]
        differences += [Difference(index, path, _FOLLOWING) for path in redirects]
    found = (MergedRoot(overlay),) if not differences else (MergedRoot(overlay), MergedRoot(others))
    for root in found:
        _refuse_changed_modes(root)
    return found, tuple(differences)


_MERGING = (
    "in place of what it deletes or replaces itself: overlay file systems then show the older directory as well, other "
    "unpackers delete it"
)
_FOLLOWING = (
    "as a directory without naming it, where an older layer has a link: overlay file systems put the directory in the "
    "link's place, other unpackers follow the link"
)


def _matters(path: bytes, older: Iterable[Sequence[Tier]]) -> bool:
    nodes = [MergedRoot(tiers).at(path) for tiers in older]
    return any(node is not None and node.is_directory for node in nodes)


def _refuse_changed_modes(root: MergedRoot) -> None:
    """A hard link shares mode and owner of an older layer's file: unpackers that take it change both, or neither."""
    for index, tier in enumerate(root.tiers):
        if len(tier.outside) > _OUTSIDE_AT_MOST:
            raise RootUnclear(f"layer {index} has more than {_OUTSIDE_AT_MOST} hard links to older layers' files")
        for path in tier.outside:
            node = root.below(index + 1).at(path)
            note = tier.access.get(path)
            if node is None or note is None or not node.is_file:
                continue
            before, after = root.access_of(node), Access.of(note)
            if not before.is_alike(after):
                raise RootUnclear(
                    f"layer {index} has the hard link {shown(path)} to a file of an older layer, with another mode or "
                    "owner: unpackers disagree on which one counts",
                    "unclear-link",
                )


def _redirects(tier: Tier, older: list[Tier]) -> dict[bytes, bytes]:
    """Directories of this layer that are links below it, and where those lead."""
    found: dict[bytes, bytes] = {}
    links = set[bytes]()
    for below in older:
        links.update(below.links.intersection(tier.implicit), below.links.intersection(tier.late))
    root = MergedRoot(older)
    for path in sorted({*tier.implicit, *tier.late}) if links else ():
        place = moved(path, found)
        if not path or (place == path and path not in links):
            continue
        node = root.at(place)
        if node is None or not node.is_link:
            continue
        if path in tier.late:
            raise RootUnclear(f"a layer uses {shown(path)} as the link of an older layer and replaces it afterwards")
        if tier.entries.get(path) == b"I":
            raise RootUnclear(
                f"a layer empties {shown(path)} by a marker, and an older layer has a link there: unpackers that "
                "follow the link disagree on what they delete"
            )
        found[path] = landing(root, place)
    return found


def landing(root: MergedRoot, path: bytes) -> bytes:
    """Where a path leads, also when nothing is there yet."""
    todo = path.split(b"/")[::-1]
    at, followed = b"", 0
    while todo:
        part = todo.pop()
        if part in {b"", b"."}:
            continue
        if part == b"..":
            at = at.rpartition(b"/")[0]
            continue
        place = at + b"/" + part if at else part
        node = root.at(place)
        if node is None or not node.is_link:
            at = place
            continue
        followed += 1
        if followed > LINKS_AT_MOST:
            raise RootUnclear(f"a layer has members below {shown(path)}, a link that goes round in a circle")
        target = node.entry[1:]
        at = b"" if target.startswith(b"/") else at
        todo.extend(target.split(b"/")[::-1])
    return at


def moved(path: bytes, redirects: Mapping[bytes, bytes]) -> bytes:
    """A path of the layer where it lands: its longest redirected parent replaced."""
    if not redirects:
        return path
    parent = path
    while parent:
        target = redirects.get(parent)
        if target is not None:
            rest = path[len(parent) + 1 :]
            return target + b"/" + rest if target and rest else target or rest
        parent = parent.rpartition(b"/")[0]
    return path


def _moved(tier: Tier, layer: LayerInspection, redirects: Mapping[bytes, bytes]) -> Tier:
    entries: dict[bytes, bytes] = {}
    for path, _ in layer.table:
        place = moved(path, redirects)
        entries[place] = _both(place, entries.get(place), tier.entries.get(path) or b"")
    for target in redirects.values():
        for parent in _parents(target):
            entries[parent] = _both(parent, entries.get(parent), b"i")
    return Tier(
        entries,
        {moved(path, redirects): record for path, record in layer.records.items()},
        frozenset(moved(path, redirects) for path in layer.named),
        frozenset(moved(path, redirects) for path in layer.links),
        tuple(path for path in sorted(entries) if entries[path][:1] in {b"i", b"I"}),
        frozenset(),
        {moved(path, redirects): note for path, note in layer.access},
        tuple(moved(path, redirects) for path in layer.outside),
        layer.access_list,
    )


def _parents(path: bytes) -> Iterable[bytes]:
    while path:
        path = path.rpartition(b"/")[0]
        yield path


def _both(path: bytes, one: bytes | None, other: bytes) -> bytes:
    """One entry for two members that land in the same place: directories merge, anything else collides."""
    if one is None:
        return other
    if b"w" in {one, other}:
        kept = one if other == b"w" else other
        return b"D" if kept[0] in DIRECTORIES else kept
    if one[0] not in DIRECTORIES or other[0] not in DIRECTORIES:
        raise RootUnclear(f"two members of one layer land at {shown(path)} once the links of older layers are followed")
    named = b"d" if b"i" not in (one.lower(), other.lower()) else b"i"
    return named.upper() if one[0] in FRESH or other[0] in FRESH else named
