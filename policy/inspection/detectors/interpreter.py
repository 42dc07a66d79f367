"""Detector `interpreter`: whether a file named like a Python is a program, and the versions its bytes carry.

A launcher of a shared build has no version in it, libpython has. The linker may have merged the version with a longer
string (".../versions/3.6.15"), so that what matters is that a version ends with a NUL.
"""

import re
import struct
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector

_ELF = b"\x7fELF"
# What follows the major version: beginning with a fixed byte it is searched for at the speed of memory.
_MINOR = re.compile(rb"\.(?<=[23]\.)(?<![0-9.][23]\.)[0-9]{1,2}\.[0-9]{1,2}(?:(?:a|b|rc)[0-9]{1,2})?\+?\0")
_KEPT = 16
_LINE = 256  # BINPRM_BUF_SIZE of Linux: what it reads of a script
_BLANKS = b" \t"
_HEADERS = 64
_PATH_MAX = 4096
_PT_INTERP = 3


def form_of(body: bytes) -> str:
    """`elf` for a program, `script` for what names its interpreter, else `other`: a shell takes that for its own."""
    if body.startswith(_ELF):
        return "elf"
    return "script" if body.startswith(b"#!") else "other"


def starter_of(body: bytes) -> str | None:
    """The program that the kernel starts for this one (execve(2)): a script's interpreter, or an ELF file's loader.

    Latin-1, as it stands there. `None` where nothing else is started: a static program, or what the kernel refuses
    with ENOEXEC, so that a shell takes the file for a script of its own.
    """
    if body.startswith(b"#!"):
        return _script_interpreter(body)
    return _loader(body) or None if body.startswith(_ELF) else None


def _script_interpreter(body: bytes) -> str | None:
    """What Linux makes of the first line (fs/binfmt_script.c); "" is a path that no file has, and so ENOENT."""
    head = body[:_LINE].ljust(_LINE, b"\0")
    line, newline, _ = head.partition(b"\0")[0].partition(b"\n")
    if newline:
        text = line[2:]
    else:
        text = head[2:-1]
        if not re.search(rb"[ \t\0]", head[2:].lstrip(_BLANKS)):
            return None  # too long to tell where the path ends
    name = text.strip(_BLANKS)
    return re.split(rb"[ \t\0]", name)[0].decode("latin-1") if name else None


def _loader(body: bytes) -> str:
    """The path in the program header PT_INTERP (ELF specification, "Program Header")."""
    wide, order = body[4:5] == b"\x02", ">" if body[5:6] == b"\x02" else "<"
    header = struct.Struct(order + ("16x2xH4x8xQ8x4x2xHH" if wide else "16x2xH4x4xI4x4x2xHH"))
    entry = struct.Struct(order + ("I4xQ8x8xQ" if wide else "II4x4xI"))
    if len(body) < header.size:
        return ""
    _, table, size, count = header.unpack_from(body)
    for at in range(table, table + size * min(count, _HEADERS), size or 1):
        if at + entry.size > len(body):
            return ""
        kind, offset, length = entry.unpack_from(body, at)
        if kind == _PT_INTERP and length <= _PATH_MAX and offset + length <= len(body):
            return body[offset : offset + length].partition(b"\0")[0].decode("latin-1")
    return ""


def started_by(body: bytes) -> dict[str, str]:
    """`{"format": "elf" | "script" | "other", "starter": "/bin/sh"}`; `starter` where there is one."""
    starter = starter_of(body)
    return {"format": form_of(body)} if starter is None else {"format": form_of(body), "starter": starter}


def read(body: bytes) -> Mapping[str, str]:
    """`{"format": "elf" | "script" | "other", "starter": "/bin/sh", "versions": "3.6.15 …"}`.

    `starter` where there is one; each version once, at most 16.
    """
    said = started_by(body)
    if said["format"] != "elf":
        return said
    found = dict.fromkeys(body[match.start() - 1 : match.end() - 1].decode("ascii") for match in _MINOR.finditer(body))
    return {**said, "versions": " ".join(list(found)[:_KEPT])}


INTERPRETER = Detector(
    "interpreter",
    3,
    # What wrapping tools rename is called python3.6-real, python.orig and the like.
    rb"(?:python|pypy)[0-9.]{0,8}+[a-z]{0,4}(?:[._-](?!config)[0-9A-Za-z_-]{1,40})?|libpython[0-9.]{1,8}[a-z]{0,4}\.so[0-9.]{0,8}",
    read,
    beginning=True,
)
