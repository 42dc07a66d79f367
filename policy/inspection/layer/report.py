"""The inspection of one layer, kept for ever: composing an image needs no byte of the layer."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from policy.inspection.archive.zstandard import zstd
from policy.inspection.facts import Problem
from policy.inspection.layer.contents_table import ContentsTable
from policy.inspection.layer.path_table import Table
from policy.inspection.layer.records import Record

_MAGIC = b"BGL3"
_LEVEL = 3
_PATHS = ("named", "links", "implicit", "late", "outside", "merging")


@dataclass(frozen=True, slots=True)
class LayerInspection:
    """One layer, read to its end, or the problem that prevented it.

    Attributes:
        digest: of the blob.
        detectors: names and versions of the detectors.
        problem: `None` when the whole layer was read; everything below is empty otherwise.
        diff_id: `sha256:…` of the uncompressed stream.
        compressed: bytes of the blob.
        uncompressed: bytes of the uncompressed stream.
        compression: `gzip`, `zstd` or `none`.
        members: members of the archive.
        table: every path of the layer with its final entry (policy/inspection/layer/tree.py).
        records: what detectors read, by path in this layer.
        named: links and hard links with a name that a detector wants.
        links: paths of all symbolic links, and of hard links that may be links to some.
        implicit: directories without a member of their own, which exist because something lies below them.
        late: directories that were used before they were named or replaced.
        outside: hard links to files of older layers, or to later members of this one.
        merging: directories in place of a whiteout or file of the same layer.
        access: paths whose mode bits or owner are not the usual ones (policy/inspection/layer/permissions.py).
        access_list: the first member with an access control list; b"" when there is none.
        contents_table: the table of contents that the layer carries for readers that do not unpack its tar.
    """

    digest: str
    detectors: tuple[str, ...]
    problem: Problem | None = None
    diff_id: str = ""
    compressed: int = 0
    uncompressed: int = 0
    compression: str = ""
    members: int = 0
    table: Table = field(default_factory=Table)
    records: Mapping[bytes, Record] = field(default_factory=dict)
    named: tuple[bytes, ...] = ()
    links: tuple[bytes, ...] = ()
    implicit: tuple[bytes, ...] = ()
    late: tuple[bytes, ...] = ()
    outside: tuple[bytes, ...] = ()
    merging: tuple[bytes, ...] = ()
    access: Table = field(default_factory=Table)
    access_list: bytes = b""
    contents_table: ContentsTable | None = None

    def to_bytes(self) -> bytes:
        """The serialised inspection; equal inspections give equal bytes."""
        head = {
            "digest": self.digest,
            "detectors": self.detectors,
            "problem": asdict(self.problem) if self.problem else None,
            "diff_id": self.diff_id,
            "compressed": self.compressed,
            "uncompressed": self.uncompressed,
            "compression": self.compression,
            "members": self.members,
            "access_list": self.access_list.decode("latin-1"),
            "contents_table": self.contents_table.to_json() if self.contents_table else None,
            "records": [[path.decode("latin-1"), self.records[path].to_list()] for path in sorted(self.records)],
        }
        parts = [json.dumps(head, sort_keys=True, separators=(",", ":")).encode()]
        parts += [_joined(getattr(self, name)) for name in _PATHS]
        packed = b"".join(_framed(zstd.compress(part, _LEVEL)) for part in parts)
        return _MAGIC + packed + _framed(self.access.to_bytes()) + self.table.to_bytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "LayerInspection":
        """The inspection that `to_bytes` wrote.

        Raises:
            ValueError: it is of another version, or no inspection.
        """
        if not raw.startswith(_MAGIC):
            raise ValueError("this is not a layer inspection of the present format: the layer needs to be read again")
        parts, position = [], len(_MAGIC)
        for _ in range(len(_PATHS) + 2):
            end = position + 4 + int.from_bytes(raw[position : position + 4], "big")
            parts.append(raw[position + 4 : end])
            position = end
        head = json.loads(zstd.decompress(parts[0]))
        problem = head.pop("problem")
        records = head.pop("records")
        paths: dict[str, Any] = {
            name: _split(zstd.decompress(part)) for name, part in zip(_PATHS, parts[1:-1], strict=True)
        }
        contents = head.pop("contents_table")
        return cls(
            **{**head, "detectors": tuple(head["detectors"]), "access_list": head["access_list"].encode("latin-1")},
            **paths,
            problem=Problem(**problem) if problem else None,
            records={path.encode("latin-1"): Record.from_list(item) for path, item in records},
            access=Table.from_bytes(parts[-1]),
            table=Table.from_bytes(raw[position:]),
            contents_table=ContentsTable.from_json(contents) if contents else None,
        )


def _joined(paths: Iterable[bytes]) -> bytes:
    return b"".join(path + b"\0" for path in paths)


def _split(raw: bytes) -> tuple[bytes, ...]:
    return tuple(raw.split(b"\0")[:-1])


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part
