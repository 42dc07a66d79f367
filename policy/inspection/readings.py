"""The two readings of an image whose newer layers put things below what is a link in an older one.

A layer has `lib/x` but does not name `lib`, and an older layer made `lib` a link to `usr/lib`: some unpackers follow
the link (`usr/lib/x`), others put a directory in its place (`lib/x`). Both roots are built; where the facts depend on
the difference, the image is inconclusive.
"""

from collections.abc import Iterable, Mapping

from policy.inspection.layer_inspection import LayerInspection
from policy.inspection.root import Root, RootUnclear, Tier
from policy.inspection.tree import DIRECTORIES, FRESH, LINKS_AT_MOST, shown


def roots(layers: Iterable[LayerInspection]) -> tuple[Root, ...]:
    """One root, or two: links in parents followed first, then replaced.

    Raises:
        RootUnclear: following a link makes two members collide, or leads round in a circle.
    """
    inspected = list(layers)
    replacing = [Tier.of(layer) for layer in inspected]
    following: list[Tier] = []
    for tier, layer in zip(replacing, inspected, strict=True):
        redirects = _redirects(tier, following)
        following.append(_moved(layer, redirects) if redirects else tier)
    if all(one is other for one, other in zip(following, replacing, strict=True)):
        return (Root(replacing),)
    return Root(following), Root(replacing)


def _redirects(tier: Tier, older: list[Tier]) -> dict[bytes, bytes]:
    """Directories of this layer that are links below it, and where those lead."""
    found: dict[bytes, bytes] = {}
    links = set[bytes]()
    for below in older:
        links.update(below.links.intersection(tier.implicit), below.links.intersection(tier.late))
    root = Root(older)
    for path in sorted({*tier.implicit, *tier.late}) if links else ():
        place = moved(path, found)
        if not path or (place == path and path not in links):
            continue
        node = root.at(place)
        if node is None or not node.is_link:
            continue
        if path in tier.late:
            raise RootUnclear(f"a layer uses {shown(path)} as the link of an older layer and replaces it afterwards")
        found[path] = _landing(root, place)
    return found


def _landing(root: Root, path: bytes) -> bytes:
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


def _moved(layer: LayerInspection, redirects: Mapping[bytes, bytes]) -> Tier:
    entries: dict[bytes, bytes] = {}
    for path, entry in layer.table:
        place = moved(path, redirects)
        entries[place] = _both(place, entries.get(place), entry)
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
