"""ELF files as Linux starts them (fs/binfmt_elf.c): the loader that a program names, and its machine."""

import struct
from dataclasses import dataclass

from policy.inspection.detectors.detector import Unreadable

MAGIC = b"\x7fELF"
_PATH_MAX = 4096
_PT_INTERP = 3
_TABLE_AT_MOST = 65536
_LOADABLE = frozenset({2, 3})  # ET_EXEC, ET_DYN


class NotStarted(ValueError):
    """Linux refuses the file with ENOEXEC; a shell then runs it as a script."""


@dataclass(frozen=True, slots=True)
class Elf:
    """The loader and machine of an ELF file.

    Attributes:
        loader: the path in PT_INTERP; `None` when there is none.
        machine: class in bits and machine number: `64 62`; "" for a file that cannot be a loader.
    """

    loader: bytes | None
    machine: str


def read_elf(body: bytes) -> Elf:
    """Read a file that begins with `MAGIC`.

    Raises:
        NotStarted: Linux does not accept its headers.
        Unreadable: the headers, or the loader's path, lie beyond these bytes.
    """
    wide, order = body[4:5] == b"\x02", ">" if body[5:6] == b"\x02" else "<"
    header = struct.Struct(order + ("16xHH4x8xQ8x4x2xHH" if wide else "16xHH4x4xI4x4x2xHH"))
    entry = struct.Struct(order + ("I4xQ8x8xQ" if wide else "II4x4xI8x"))
    length = 56 if wide else 32
    if len(body) < header.size:
        return Elf(None, "")
    kind, machine, table, size, count = header.unpack_from(body)
    if not count:
        return Elf(None, "")
    if kind not in _LOADABLE or size != length or size * count > _TABLE_AT_MOST:
        raise NotStarted
    if table + size * count > len(body):
        raise Unreadable(f"its program headers do not lie in its first {len(body)} bytes")
    machine_id = f"{64 if wide else 32} {machine}"
    for position in range(table, table + size * count, size):
        segment, offset, stored = entry.unpack_from(body, position)
        if segment == _PT_INTERP:
            return Elf(_path(body, offset, stored), machine_id)
    return Elf(None, machine_id)


def _path(body: bytes, offset: int, stored: int) -> bytes:
    if not 2 <= stored <= _PATH_MAX:
        raise NotStarted
    if offset + stored > len(body):
        raise Unreadable(f"the path of its loader does not lie in its first {len(body)} bytes")
    text = body[offset : offset + stored]
    if not text.endswith(b"\0"):
        raise NotStarted
    return text.partition(b"\0")[0]
