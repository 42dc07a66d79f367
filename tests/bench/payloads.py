"""What the bench pushes: random bytes and real layers, alike but for a unique head, made from fixed seeds."""

import gzip
import hashlib
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from isal import isal_zlib

from tests.bench import contents

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Kind = Literal["random", "gzip", "zstd"]

CHUNK = 32 << 10

SMALL = 256 << 10
"""A layer up to so many bytes has as many inside, and is smaller itself."""

MEDIA_TYPES = {
    "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}


# A window as small as the pool of text would be, so that zstd finds in it what it finds in real files.
_ZSTD = {int(zstd.CompressionParameter.compression_level): 3, int(zstd.CompressionParameter.window_log): 18}


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


def in_hand(content: bytes) -> Payload:
    """A small document as a payload."""
    return Payload(content, _nothing(), 0, f"sha256:{hashlib.sha256(content).hexdigest()}")


def diff_id(kind: Kind, size: int, unique: str) -> str:
    """`sha256:…` of what is inside the layer that `payload` makes of the same arguments."""
    digest = hashlib.sha256(_unique_files(unique))
    digest.update(_plain(kind, size))
    return f"sha256:{digest.hexdigest()}"


def unpacked(kind: Kind, content: bytes) -> bytes:
    """What is inside a whole layer."""
    return gzip.decompress(content) if kind == "gzip" else zstd.decompress(content)


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
    if kind == "random":
        return hashlib.sha256(unique.encode()).digest()
    packer = _packer(kind)
    return packer.compress(_unique_files(unique)) + packer.flush()


def _unique_files(unique: str) -> bytes:
    files = contents.essentials() | {"opt/unique": hashlib.sha256(unique.encode()).digest()}
    return b"".join(contents.member(name, body) for name, body in files.items())


@cache
def _tail(kind: Kind, size: int) -> tuple[int, memoryview]:
    content = _layer(kind, size)[0] if kind != "random" else _noise(max(size - 32, 0))
    return _memory([content])[0], memoryview(content)


def _noise(size: int) -> bytes:
    """Bytes that look random, always the same: a cipher makes them four times as fast as a generator of numbers."""
    key = hashlib.sha256(f"basegate bench random {size}".encode()).digest()
    return Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(bytes(size))


@cache
def _nothing() -> int:
    return _memory([])[0]


def _memory(pieces: Sequence[bytes | memoryview]) -> tuple[int, int]:
    memory = os.memfd_create("bench")
    with open(memory, "wb", closefd=False) as file:
        return memory, sum(file.write(piece) for piece in pieces)


def _plain(kind: Kind, size: int) -> bytes:
    return _layer(kind, size)[1]


@cache
def _layer(kind: Kind, size: int) -> tuple[bytes, bytes]:
    """The rest of an archive of about `size` compressed bytes, as one stream: compressed, and as it is inside."""
    packer, files = _packer(kind), contents.members(_seeded(kind, size), max(size, 1))
    packed, plain = bytearray(), bytearray()
    # A packer keeps the first bytes to itself, so that a small layer is measured by what goes in.
    while len(packed) < size and (size > SMALL or len(plain) < size):
        member = next(files)
        plain += member
        packed += packer.compress(member)
    end = bytes(1024)
    packed += packer.compress(end) + packer.flush()
    return bytes(packed), bytes(plain + end)


def _packer(kind: Kind) -> "zstd.ZstdCompressor | isal_zlib.Compress":
    return zstd.ZstdCompressor(options=_ZSTD) if kind == "zstd" else isal_zlib.compressobj(2, isal_zlib.DEFLATED, 31)


def _seeded(kind: Kind, size: int) -> random.Random:
    return random.Random(f"basegate bench {kind} {size}")  # noqa: S311 - a fixed seed is the point
