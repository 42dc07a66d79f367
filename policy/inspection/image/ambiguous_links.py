"""The two roots of an image on which unpackers disagree.

An overlay file system keeps each layer in a directory of its own; other unpackers apply one layer over the other. The
roots differ in two cases:

- A layer has `lib/x` without a member `lib`, and an older layer made `lib` a link to `usr/lib`: overlay file systems
  replace the link by a directory, the others follow it (`usr/lib/x`).
- A layer deletes `lib` and has it again as a directory: overlay file systems merge it with the older one, the others
  delete the older one.

Both roots are built; if a judged fact depends on the difference, the image is inconclusive.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from policy.inspection.archive.names import shown
from policy.inspection.budgets import ImageBudgets
from policy.inspection.image.layer_view import LayerView
from policy.inspection.image.merged_root import MergedRoot, RootUnclear, Steps
from policy.inspection.layer.permissions import Access
from policy.inspection.layer.report import LayerInspection
from policy.inspection.layer.tree import DIRECTORIES, FRESH, LINKS_AT_MOST

_OUTSIDE_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where the two roots of an image differ.

    Attributes:
        index: of the layer.
        path: of the member.
        how: what runtimes do, as the end of a sentence.
    """

    index: int
    path: bytes
    how: str

    def __str__(self) -> str:
        """`layer 2 has lib …`."""
        return f"layer {self.index} has {shown(self.path) or 'an opaque root'} {self.how}"


def roots(inspections: Iterable[LayerInspection]) -> tuple[MergedRoot, ...]:
    """One root, or two: that of overlay file systems, and that of other unpackers.

    Raises:
        RootUnclear: following a link makes two members collide or ends in a circle; a hard link gives an older layer's
            file another mode.
    """
    return readings(inspections)[0]


def readings(
    inspections: Iterable[LayerInspection], budgets: ImageBudgets | None = None
) -> tuple[tuple[MergedRoot, ...], tuple[Difference, ...]]:
    """The roots, as `roots` returns them, and their differences.

    Args:
        inspections: of the layers, oldest first.
        budgets: what lookups in the roots may cost; the defaults when `None`.

    Raises:
        RootUnclear: as `roots` does.
    """
    every = list(inspections)
    steps = Steps((budgets or ImageBudgets()).steps)
    overlay = [LayerView.of(inspection, merges=True) for inspection in every]
    others: list[LayerView] = []
    links: set[bytes] = set()
    differences: list[Difference] = []
    for index, inspection in enumerate(every):
        layer = LayerView.of(inspection, merges=False) if inspection.merging else overlay[index]
        redirects = _redirects(layer, others, links, steps)
        others.append(_moved(layer, inspection, redirects, steps) if redirects else layer)
        links |= others[-1].links
        older = (overlay[:index], others[:index]) if inspection.merging else ()
        differences += [
            Difference(index, path, _MERGING) for path in inspection.merging if _matters(path, older, steps)
        ]
        differences += [Difference(index, path, _FOLLOWING) for path in redirects]
    merged = tuple(MergedRoot(layers, steps) for layers in ((overlay, others) if differences else (overlay,)))
    for root in merged:
        _refuse_changed_modes(root)
    return merged, tuple(differences)


_MERGING = (
    "in place of what it deletes or replaces itself: overlay file systems then show the older directory as well, other "
    "unpackers delete it"
)
_FOLLOWING = (
    "as a directory without naming it, where an older layer has a link: overlay file systems put the directory in the "
    "link's place, other unpackers follow the link"
)


def _matters(path: bytes, older: Iterable[Sequence[LayerView]], steps: Steps) -> bool:
    nodes = [MergedRoot(layers, steps).node_at(path) for layers in older]
    return any(node is not None and node.is_directory for node in nodes)


def _refuse_changed_modes(root: MergedRoot) -> None:
    """Refuse hard links that change an older layer's file: unpackers disagree on whether its mode and owner change."""
    for index, layer in enumerate(root.layers):
        if len(layer.outside) > _OUTSIDE_AT_MOST:
            raise RootUnclear(f"layer {index} has more than {_OUTSIDE_AT_MOST} hard links to older layers' files")
        for path in layer.outside:
            node = root.below(index + 1).node_at(path)
            note = layer.access.get(path)
            if node is None or note is None or not node.is_file:
                continue
            before, after = root.access_of(node), Access.of(note)
            if not before.is_alike(after):
                raise RootUnclear(
                    f"layer {index} has the hard link {shown(path)} to a file of an older layer, with another mode or "
                    "owner: unpackers disagree on which one counts",
                    "unclear-link",
                )


def _redirects(
    layer: LayerView, below: Sequence[LayerView], older_links: set[bytes], steps: Steps
) -> dict[bytes, bytes]:
    """Directories of this layer that are links in older layers, and the targets of those links."""
    redirects: dict[bytes, bytes] = {}
    paths = {*layer.implicit, *layer.late}
    links = older_links & paths
    if not links:
        return redirects
    older = MergedRoot(below, steps)
    for path in sorted(paths):
        steps.take(_cost(path))
        place = moved(path, redirects)
        if not path or (place == path and path not in links):
            continue
        node = older.node_at(place)
        if node is None or not node.is_link:
            continue
        if path in layer.late:
            raise RootUnclear(f"a layer uses {shown(path)} as the link of an older layer and replaces it afterwards")
        if layer.entries.get(path) == b"I":
            raise RootUnclear(
                f"a layer empties {shown(path)} by a marker, and an older layer has a link there: unpackers that "
                "follow the link disagree on what they delete"
            )
        redirects[path] = landing(older, place)
    return redirects


def landing(root: MergedRoot, path: bytes) -> bytes:
    """The path that a path resolves to, even when nothing exists there."""
    todo = path.split(b"/")[::-1]
    directory, followed = b"", 0
    while todo:
        root.steps.take()
        part = todo.pop()
        if part in {b"", b"."}:
            continue
        if part == b"..":
            directory = directory.rpartition(b"/")[0]
            continue
        place = directory + b"/" + part if directory else part
        node = root.node_at(place)
        if node is None or not node.is_link:
            directory = place
            continue
        followed += 1
        if followed > LINKS_AT_MOST:
            raise RootUnclear(f"a layer has members below {shown(path)}, a link that goes round in a circle")
        target = node.entry[1:]
        directory = b"" if target.startswith(b"/") else directory
        todo.extend(target.split(b"/")[::-1])
    return directory


def moved(path: bytes, redirects: Mapping[bytes, bytes]) -> bytes:
    """A path of the layer with its longest redirected parent replaced."""
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


def _cost(path: bytes) -> int:
    """The steps of `moved`, which looks at every parent of a path."""
    return 1 + path.count(b"/") * (1 + len(path) // 4096)


def _moved(layer: LayerView, inspection: LayerInspection, redirects: Mapping[bytes, bytes], steps: Steps) -> LayerView:
    entries: dict[bytes, bytes] = {}
    for path, _ in inspection.table:
        steps.take(_cost(path))
        place = moved(path, redirects)
        entries[place] = _both(place, entries.get(place), layer.entries.get(path) or b"")
    for target in redirects.values():
        for parent in _parents(target):
            entries[parent] = _both(parent, entries.get(parent), b"i")
    return LayerView(
        entries,
        {moved(path, redirects): record for path, record in inspection.records.items()},
        frozenset(moved(path, redirects) for path in inspection.named),
        frozenset(moved(path, redirects) for path in inspection.links),
        tuple(path for path in sorted(entries) if entries[path][:1] in {b"i", b"I"}),
        frozenset(),
        {moved(path, redirects): note for path, note in inspection.access},
        tuple(moved(path, redirects) for path in inspection.outside),
        inspection.access_list,
    )


def _parents(path: bytes) -> Iterable[bytes]:
    while path:
        path = path.rpartition(b"/")[0]
        yield path


def _both(path: bytes, one: bytes | None, other: bytes) -> bytes:
    """One entry for two members at the same path: directories merge, anything else collides."""
    if one is None:
        return other
    if b"w" in {one, other}:
        kept = one if other == b"w" else other
        return b"D" if kept[0] in DIRECTORIES else kept
    if one[0] not in DIRECTORIES or other[0] not in DIRECTORIES:
        raise RootUnclear(f"two members of one layer land at {shown(path)} once the links of older layers are followed")
    named = b"d" if b"i" not in (one.lower(), other.lower()) else b"i"
    return named.upper() if one[0] in FRESH or other[0] in FRESH else named
