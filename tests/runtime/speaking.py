"""Images of the corpus whose programs speak: their stubs say what stands beside them, and their shells are a shell.

Only layers that the corpus' own packers made are changed, so that damaged and odd archives stay what they are.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from policy.inspection.archive.zstandard import zstd
from tests.corpus.builders import (
    GZIP,
    PACKERS,
    TAR,
    ZSTD,
    Layer,
    as_json,
    packed,
)
from tests.corpus.builders import Image as CorpusImage
from tests.corpus.tarballs import BLOCK, padded
from tests.runtime import programs

_UNPACKERS: dict[str, Callable[[bytes], bytes]] = {GZIP: gzip.decompress, ZSTD: zstd.decompress, TAR: bytes}
_PYTHON = re.compile(r"python([0-9.]*)[a-z-]*")
_SHELLS = frozenset({"sh", "dash", "bash", "ash", "env"})
_CARRIED = re.compile(rb"\0([23]\.[0-9]+\.[0-9]+)\0")
_RECORD = re.compile(r"(.*)/conda-meta/conda-([^-/]+)-[^-/]+\.json")
_NAME, _SIZE, _CHECKSUM, _KIND, _PREFIX = slice(0, 100), slice(124, 136), slice(148, 156), 156, slice(345, 500)


@dataclass(frozen=True)
class _Member:
    """A header and a body in an archive, padded; `body` is `None` where the header is one that is not looked into."""

    header: bytes
    body: bytes
    path: str

    @property
    def is_file(self) -> bool:
        return bool(self.path) and self.header[_KIND] in b"0\0"

    def saying(self, body: bytes) -> "_Member":
        """The same member with another body."""
        block = bytearray(self.header)
        block[_SIZE] = b"%011o\0" % len(body)
        block[_CHECKSUM] = b" " * 8
        block[_CHECKSUM] = b"%06o\0 " % sum(block)
        return _Member(bytes(block), body, self.path)


def speaking(made: CorpusImage) -> CorpusImage:
    """The image with speaking programs; as it is where nothing of it can be changed."""
    archives = [_archive(layer) for layer in made.layers]
    condas = _condas([member for archive in archives for member in archive or []])
    layers = [
        layer if archive is None else packed(_written(_spoken(member, condas) for member in archive), layer.media_type)
        for layer, archive in zip(made.layers, archives, strict=True)
    ]
    return _renamed(made, layers)


def _renamed(made: CorpusImage, layers: Sequence[Layer]) -> CorpusImage:
    """The image with other layers, the configuration naming them where it named the old ones."""
    try:
        document = json.loads(made.config)
        names = document["rootfs"]["diff_ids"]
        faithful = as_json(document) == made.config and names == [layer.diff_id for layer in made.layers]
    except (ValueError, RecursionError, KeyError, TypeError):
        return made
    if not faithful or made.sizes:
        return made
    document["rootfs"]["diff_ids"] = [layer.diff_id for layer in layers]
    return replace(made, layers=tuple(layers), config=as_json(document))


def _archive(layer: Layer) -> list[_Member] | None:
    """The members of a layer; `None` for one that was made in another way than the corpus' usual one."""
    if layer.annotations or layer.media_type not in _UNPACKERS:
        return None
    try:
        raw = _UNPACKERS[layer.media_type](layer.blob)
    except (OSError, EOFError, ValueError, zstd.ZstdError):
        return None
    if PACKERS[layer.media_type](raw) != layer.blob:
        return None
    found = list(_members(raw))
    return found if _written(found) == raw else None


def _members(raw: bytes) -> Iterator[_Member]:
    at, plain = 0, True
    while at + BLOCK <= len(raw) and any(raw[at : at + BLOCK]):
        header = raw[at : at + BLOCK]
        size = header[_SIZE].strip(b" \0")
        if not re.fullmatch(rb"[0-7]+", size):
            break
        length = int(size, 8)
        body = raw[at + BLOCK : at + BLOCK + length]
        extends = header[_KIND] in b"xgLK"
        yield _Member(header, body, _path(header) if plain and not extends else "")
        plain = not extends
        at += BLOCK + len(padded(body))
    yield _Member(b"", raw[at:], "")


def _path(header: bytes) -> str:
    prefix, name = (header[field].partition(b"\0")[0].decode("latin-1") for field in (_PREFIX, _NAME))
    return f"{prefix}/{name}" if prefix else name


def _written(members: Iterator[_Member] | Sequence[_Member]) -> bytes:
    return b"".join(item.header + (padded(item.body) if item.header else item.body) for item in members)


def _condas(members: Sequence[_Member]) -> dict[str, str]:
    """Prefix -> version, of prefixes with one record of conda in all layers."""
    found: dict[str, set[str]] = {}
    for member in members:
        record = _RECORD.fullmatch(member.path)
        if record:
            found.setdefault(record[1], set()).add(record[2])
    return {prefix: versions.pop() for prefix, versions in found.items() if len(versions) == 1}


def _spoken(member: _Member, condas: dict[str, str]) -> _Member:
    if not member.is_file:
        return member
    home, _, name = member.path.rpartition("/")
    prefix = home.removesuffix("/bin")
    if name == "conda" and prefix in condas and member.body.startswith(f"#!/{prefix}/bin/python".encode()):
        return member.saying(programs.conda(condas[prefix]))
    if not member.body.startswith(b"\x7fELF\x02\x01\x01" + bytes(57)):
        return member
    if name in _SHELLS:
        return member.saying(programs.shell())
    python = _PYTHON.fullmatch(name)
    if python is None:
        return member
    carried = list(dict.fromkeys(item.decode() for item in _CARRIED.findall(member.body)))
    said = carried[0] if len(carried) == 1 else python[1].strip(".")
    return member.saying(programs.elf(f"Python {said}\n", *carried)) if said else member
