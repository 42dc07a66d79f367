"""Programs that say who they are: tiny ELF executables made byte by byte, and shell scripts."""

import platform
import struct
from collections.abc import Callable, Mapping

_ORIGIN = 0x400000
_LOADERS_ORIGIN = 0x10000000  # where no program lies
_HEADER, _ENTRY = 64, 56
_PT_LOAD, _PT_INTERP = 1, 3


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


# Goes to the entry of the program that it is the loader of: AT_ENTRY (9) of the auxiliary vector.
_TO_ENTRY = {
    # mov rdi, [rsp]; lea rsi, [rsp+rdi*8+16]; 1: lodsq; test rax, rax; jnz 1b;
    # 2: lodsq; cmp rax, 9; lodsq; jne 2b; jmp rax
    "x86_64": bytes.fromhex("488b3c24488d74fc1048ad4885c075f948ad4883f80948ad75f6ffe0"),
    # ldr x0, [sp]; add x1, sp, x0, uxtx 3; add x1, x1, 16; 1: ldr x0, [x1], 8; cbnz x0, 1b;
    # 2: ldp x0, x2, [x1], 16; cmp x0, 9; b.ne 2b; br x2
    "aarch64": struct.pack(
        "<9I",
        *(0xF94003E0, 0x8B206FE1, 0x91004021, 0xF8408420, 0xB5FFFFE0, 0xA8C10820, 0xF100241F, 0x54FFFFC1, 0xD61F0040),
    ),
}
# Is the program of the path behind it, with the same arguments and environment.
_TO_PROGRAM = {
    # lea rdi, [rip+33]; lea rsi, [rsp+8]; mov rax, [rsp]; lea rdx, [rsp+rax*8+16]; mov eax, 59; syscall;
    # mov edi, 127; mov eax, 60; syscall
    "x86_64": bytes.fromhex("488d3d21000000488d742408488b0424488d54c410b83b0000000f05bf7f000000b83c0000000f05"),
    # adr x0, 40; add x1, sp, 8; ldr x2, [sp]; add x2, sp, x2, uxtx 3; add x2, x2, 16; mov x8, 221; svc 0;
    # mov x0, 127; mov x8, 93; svc 0
    "aarch64": struct.pack(
        "<10I",
        *(0x10000140, 0x910023E1, 0xF94003E2, 0x8B226FE2, 0x91004042, 0xD2801BA8, 0xD4000001),
        *(0xD2800FE0, 0xD2800BA8, 0xD4000001),
    ),
}
_MACHINES: dict[str, tuple[int, Callable[[int], bytes]]] = {"x86_64": (62, _x86_64), "aarch64": (183, _aarch64)}
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def elf(text: str, *carried: str, starter: str | None = None, change: Mapping[int, bytes] | None = None) -> bytes:
    """An executable for this machine that prints a text.

    Args:
        text: what it prints.
        carried: texts in its bytes, each after a NUL.
        starter: path of its loader (PT_INTERP); a static executable when `None`.
        change: bytes to put into the finished file, by offset.
    """
    said = text.encode()
    body = _MACHINES[platform.machine()][1](len(said)) + said + b"".join(b"\0" + item.encode() for item in carried)
    return _changed(_file(body + b"\0", _ORIGIN, starter), change or {})


def loader(*, starter: str | None = None, change: Mapping[int, bytes] | None = None) -> bytes:
    """A loader that has nothing to load: it goes to its program."""
    return _changed(_file(_TO_ENTRY[platform.machine()], _LOADERS_ORIGIN, starter), change or {})


def shell() -> bytes:
    """What is busybox under its own name: the shell, or env."""
    return _file(_TO_PROGRAM[platform.machine()] + b"/bin/busybox\0", _ORIGIN, None)


def _file(body: bytes, origin: int, starter: str | None) -> bytes:
    """Header, program headers, the loader's path, code (System V ABI, "Object Files")."""
    named = b"" if starter is None else starter.encode() + b"\0"
    count = 1 if starter is None else 2
    front = _HEADER + count * _ENTRY
    named += bytes(-len(named) % 16)
    code = front + len(named)
    size = code + len(body)
    machine = _MACHINES[platform.machine()][0]
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, origin + code, 64, 0, 0, _HEADER, _ENTRY, count, 0, 0, 0)
    length = 0 if starter is None else len(starter.encode()) + 1
    segments = (
        [(_PT_INTERP, 4, front, origin + front, origin + front, length, length, 1)] if starter is not None else []
    )
    segments.append((_PT_LOAD, 5, 0, origin, origin, size, size, 0x1000))
    return ident + header + b"".join(struct.pack("<IIQQQQQQ", *item) for item in segments) + named + body


def _changed(made: bytes, change: Mapping[int, bytes]) -> bytes:
    found = bytearray(made)
    for at, part in change.items():
        found[at : at + len(part)] = part
    return bytes(found)


def python(version: str, *, starter: str | None = None, change: Mapping[int, bytes] | None = None) -> bytes:
    """A Python that only knows its version; its bytes carry that as a real one's do."""
    return elf(f"Python {version}\n", version, starter=starter, change=change)


def script(words: str, first: str = "#!/bin/sh") -> bytes:
    """A shell script that prints some words, under this first line."""
    return f"{first}\necho {words}\n".encode()


def conda(version: str) -> bytes:
    """A conda that only knows its version."""
    return script(f"conda {version}")


def nameless(words: str) -> bytes:
    """The same without `#!`: the kernel refuses it, and a shell reads it itself."""
    return f"echo {words}\n".encode()
