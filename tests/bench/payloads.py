"""What the bench pushes: random bytes and real layers, alike but for a unique head, made from fixed seeds."""

import hashlib
import os
import random
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from isal import igzip

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Kind = Literal["random", "gzip", "zstd"]

CHUNK = 32 << 10

LAYER_FILE = 256 << 10
"""Bytes of one file in a real layer; half of them noise, half of them text-like."""

MEDIA_TYPES = {
    "random": "application/octet-stream",
    "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}


@dataclass(frozen=True, slots=True)
class Payload:
    """One blob to send: a head of its own, then a tail shared with all payloads of its kind and size.

    Attributes:
        head: the first bytes, unique to this payload.
        tail: a memory file, sent by the kernel.
        tail_size: bytes of the tail.
        digest: `sha256:…` of the whole.
    """

    head: bytes
    tail: int
    tail_size: int
    digest: str

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return len(self.head) + self.tail_size


def payload(kind: Kind, size: int, unique: str) -> Payload:
    """The payload of about `size` bytes that `unique` names."""
    head = _head(kind, unique)
    tail, content = _tail(kind, size)
    digest = hashlib.sha256(head)
    digest.update(content)
    return Payload(head, tail, len(content), f"sha256:{digest.hexdigest()}")


@cache
def chunked_tail(kind: Kind, size: int) -> tuple[int, int]:
    """The same tail in chunked transfer coding, 32 KiB a chunk as docker sends it: memory file and its bytes."""
    _, content = _tail(kind, size)
    pieces: list[bytes | memoryview] = []
    for start in range(0, len(content), CHUNK):
        piece = content[start : start + CHUNK]
        pieces += [b"%x\r\n" % len(piece), piece, b"\r\n"]
    return _memory([*pieces, b"0\r\n\r\n"])


def _head(kind: Kind, unique: str) -> bytes:
    noise = hashlib.sha256(unique.encode()).digest()
    return noise if kind == "random" else _compressed(kind, _member("opt/unique", noise))


@cache
def _tail(kind: Kind, size: int) -> tuple[int, memoryview]:
    source = random.Random(f"basegate bench {kind} {size}")  # noqa: S311 - a fixed seed is the point
    content = source.randbytes(max(size - 32, 0)) if kind == "random" else _layer(kind, size, source)
    return _memory([content])[0], memoryview(content)


def _memory(pieces: Sequence[bytes | memoryview]) -> tuple[int, int]:
    memory = os.memfd_create("bench")
    with open(memory, "wb", closefd=False) as file:
        return memory, sum(file.write(piece) for piece in pieces)


def _layer(kind: Kind, size: int, source: random.Random) -> bytes:
    pieces, total, number = [], 0, 0
    while total < size:
        # Half noise, half hexadecimal text: compresses to about three quarters, like a layer of programs.
        text = source.randbytes(LAYER_FILE // 4).hex().encode()
        body = source.randbytes(LAYER_FILE // 2) + text
        piece = _compressed(kind, _member(f"usr/lib/part-{number:05}", body))
        pieces.append(piece)
        total += len(piece)
        number += 1
    pieces.append(_compressed(kind, bytes(1024)))
    return b"".join(pieces)


def _member(name: str, body: bytes) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size = len(body)
    padding = bytes(-len(body) % 512)
    return entry.tobuf(tarfile.USTAR_FORMAT) + body + padding


def _compressed(kind: Kind, plain: bytes) -> bytes:
    if kind == "zstd":
        return zstd.compress(plain, level=1)
    return bytes(igzip.compress(plain, 1, mtime=0))
