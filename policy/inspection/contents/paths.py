"""The paths of a layer with a table of contents: refuses those on which lazy readers and unpackers differ.

Unpackers apply members in order; readers of a table look paths up in it, and some write files in parallel. The results
are the same only when no path is named twice, nothing lies below a non-directory, a hard link has the attributes of
its target, and a whiteout names no other member of the layer.
"""

from dataclasses import dataclass

from policy.inspection.archive.names import cleaned, shown
from policy.inspection.archive.tar import DIRECTORY, LINK, Member
from policy.inspection.contents.footers import TocMismatch

_WHITEOUT = b".wh."
_METADATA = b".wh..wh."
_OPAQUE = b".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Attributes:
    """The permission bits, owner, group and extended attributes of a member."""

    mode: int
    uid: int
    gid: int
    xattrs: frozenset[tuple[bytes, bytes]]


class Paths:
    """The paths named so far, with their kinds and attributes."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, int] = {}
        self._attributes: dict[bytes, Attributes] = {}
        self._same: dict[Attributes, Attributes] = {}
        self._parents: set[bytes] = {b""}
        self._whiteouts: list[bytes] = []

    def add(self, path: bytes, member: Member, attributes: Attributes) -> None:
        """Add the next member.

        Raises:
            TocMismatch: it makes readers differ; the message does not name it.
        """
        if path in self._kinds:
            raise TocMismatch("the layer names this path twice, and readers of a table do not keep the same one")
        if member.kind != DIRECTORY and path in self._parents:
            raise TocMismatch("it is no directory, but the layer has something below it")
        self._check_parents(path)
        if member.kind == LINK:
            self._check_link(member, attributes)
        self._kinds[path] = member.kind
        self._attributes[path] = self._same.setdefault(attributes, attributes)
        parent, _, base = path.rpartition(b"/")
        if base.startswith(_WHITEOUT) and base != _OPAQUE:
            if base.startswith(_METADATA):
                raise TocMismatch("it belongs to a file system of old, and not all readers leave it out")
            whited = base.removeprefix(_WHITEOUT)
            self._whiteouts.append(parent + b"/" + whited if parent else whited)

    def finish(self) -> None:
        """Check the whiteouts, after the last member.

        Raises:
            TocMismatch: it makes readers differ; the message names the member.
        """
        for path in self._whiteouts:
            if path in self._kinds or path in self._parents:
                raise TocMismatch(f"member {shown(path)!r}: the layer has it and deletes it")

    def _check_parents(self, path: bytes) -> None:
        parent = path.rpartition(b"/")[0]
        while parent not in self._parents:
            if self._kinds.get(parent, DIRECTORY) != DIRECTORY:
                raise TocMismatch(f"it lies below {shown(parent)!r}, which is no directory in this layer")
            self._parents.add(parent)
            parent = parent.rpartition(b"/")[0]

    def _check_link(self, member: Member, attributes: Attributes) -> None:
        target = self._attributes.get(cleaned(member.link))
        if target is None:
            raise TocMismatch("it is a hard link to what the layer does not hold before it")
        if target != attributes:
            raise TocMismatch("it is a hard link with another mode or owner than its target")
