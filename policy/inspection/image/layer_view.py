"""One inspected layer as a tier of an image's root."""

from collections.abc import Mapping
from dataclasses import dataclass

from policy.inspection.layer.path_table import Entries, OpenTable
from policy.inspection.layer.records import Record
from policy.inspection.layer.report import LayerInspection


class _Merging:
    """The entries of a layer, with `m` entries replaced by another kind."""

    __slots__ = ("_entries", "_kind")

    def __init__(self, entries: Entries, kind: bytes) -> None:
        self._entries = entries
        self._kind = kind

    def get(self, path: bytes) -> bytes | None:
        entry = self._entries.get(path)
        return self._kind if entry == b"m" else entry


@dataclass(frozen=True, slots=True)
class LayerView:
    """A layer as part of a root.

    Attributes:
        entries: the structural index.
        records: of detectors, by path.
        named: paths of links with a name that a detector wants.
        links: paths of all its symbolic links.
        implicit: its directories without a member of their own.
        late: its directories that were used before they were named or replaced.
        access: mode and owner by path, when they are not the usual ones.
        outside: its hard links to files of older layers.
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
    def of(cls, inspection: LayerInspection, *, merges: bool) -> "LayerView":
        """The view of an inspected layer.

        Args:
            inspection: of the layer.
            merges: whether a directory in place of a whiteout of its layer shows older layers, as in overlay file
                systems.
        """
        entries: Entries = OpenTable(inspection.table)
        if inspection.merging:
            entries = _Merging(entries, b"d" if merges else b"D")
        return cls(
            entries,
            inspection.records,
            frozenset(inspection.named),
            frozenset(inspection.links),
            inspection.implicit,
            frozenset(inspection.late),
            OpenTable(inspection.access),
            inspection.outside,
            inspection.access_list,
        )
