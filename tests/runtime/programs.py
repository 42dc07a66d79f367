"""Programs that say who they are: tiny ELF executables made byte by byte, and shell scripts."""

import platform
import struct
from collections.abc import Callable

_ORIGIN = 0x400000
_HEADERS = 64 + 56  # ELF header and one program header


def _x86_64(size: int) -> bytes:
    """`write(1, text, size); exit(0)`, the text right behind the code."""
    code = b"\xb8\x01\x00\x00\x00\xbf\x01\x00\x00\x00"  # mov eax, 1; mov edi, 1
    code += b"\x48\x8d\x35" + struct.pack("<i", 16)  # lea rsi, [rip + 16]
    code += b"\xba" + struct.pack("<I", size) + b"\x0f\x05"  # mov edx, size; syscall
    return code + b"\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05"  # mov eax, 60; xor edi, edi; syscall


def _aarch64(size: int) -> bytes:
    """The same for 64-bit ARM."""
    words = (
        0xD2800020,  # mov x0, 1
        0x100000E1,  # adr x1, 28 bytes on
        0xD2800002 | size << 5,  # mov x2, size
        0xD2800808,  # mov x8, 64
        0xD4000001,  # svc 0
        0xD2800000,  # mov x0, 0
        0xD2800BA8,  # mov x8, 93
        0xD4000001,  # svc 0
    )
    return struct.pack("<8I", *words)


_MACHINES: dict[str, tuple[int, Callable[[int], bytes]]] = {"x86_64": (62, _x86_64), "aarch64": (183, _aarch64)}
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def elf(text: str, *carried: str) -> bytes:
    """A static executable for this machine that prints a text; `carried` are texts in its bytes, each after a NUL."""
    machine, code_of = _MACHINES[platform.machine()]
    said = text.encode()
    body = code_of(len(said)) + said + b"".join(b"\0" + item.encode() for item in carried) + b"\0"
    size = _HEADERS + len(body)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, _ORIGIN + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _ORIGIN, _ORIGIN, size, size, 0x1000)
    return ident + header + segment + body


def python(version: str) -> bytes:
    """A Python that only knows its version; its bytes carry that as a real one's do."""
    return elf(f"Python {version}\n", version)


def script(words: str) -> bytes:
    """A shell script that prints some words."""
    return f"#!/bin/sh\necho {words}\n".encode()


def conda(version: str) -> bytes:
    """A conda that only knows its version."""
    return script(f"conda {version}")


def nameless(words: str) -> bytes:
    """The same without `#!`: the kernel refuses it, and a shell reads it itself."""
    return f"echo {words}\n".encode()
