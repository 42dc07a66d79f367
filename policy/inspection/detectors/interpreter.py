"""Detector `interpreter`: whether a file named like a Python is a program, and the versions its bytes carry.

A launcher of a shared build has no version in it, libpython has. The linker may have merged the version with a longer
string (".../versions/3.6.15"), so that what matters is that a version ends with a NUL.
"""

import re
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector
from policy.inspection.detectors.elf import MAGIC, NotStarted, read_elf

# What follows the major version: beginning with a fixed byte it is searched for at the speed of memory.
_MINOR = re.compile(rb"\.(?<=[23]\.)(?<![0-9.][23]\.)[0-9]{1,2}\.[0-9]{1,2}(?:(?:a|b|rc)[0-9]{1,2})?\+?\0")
_KEPT = 16
_LINE = 256  # BINPRM_BUF_SIZE of Linux: what it reads of a script
_BLANKS = b" \t"


def script_interpreter(body: bytes) -> str | None:
    """What Linux starts for a script (fs/binfmt_script.c), in Latin-1; "" is a path that no file has, and so ENOENT.

    `None` where it refuses the first line, so that a shell takes the file for a script of its own.
    """
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


def started_by(body: bytes) -> dict[str, str]:
    """What the kernel does with a file (execve(2)).

    `{"format": "elf" | "script" | "other", "starter": "/bin/sh", "machine": "64 62"}`. `format` is `other` for what it
    refuses with ENOEXEC, so that a shell takes it for a script of its own. `starter` is the program that it starts for
    this one, a script's interpreter or an ELF file's loader, in Latin-1 as it stands there, where there is one;
    `machine` is there where an ELF file can be a loader, for programs of the same machine.

    Raises:
        Unreadable: what it starts is not named in these bytes.
    """
    if body.startswith(b"#!"):
        starter = script_interpreter(body)
        return {"format": "script"} if starter is None else {"format": "script", "starter": starter}
    if not body.startswith(MAGIC):
        return {"format": "other"}
    try:
        found = read_elf(body)
    except NotStarted:
        return {"format": "other"}
    said = {"format": "elf", "machine": found.machine} if found.machine else {"format": "elf"}
    return said if found.loader is None else {**said, "starter": found.loader.decode("latin-1")}


def read(body: bytes) -> Mapping[str, str]:
    """What `started_by` says, and `"versions": "3.6.15 …"` of an ELF file: each once, at most 16.

    Raises:
        Unreadable: as `started_by`.
    """
    said = started_by(body)
    if said["format"] != "elf":
        return said
    found = dict.fromkeys(body[match.start() - 1 : match.end() - 1].decode("ascii") for match in _MINOR.finditer(body))
    return {**said, "versions": " ".join(list(found)[:_KEPT])}


INTERPRETER = Detector(
    "interpreter",
    4,
    # What wrapping tools rename is called python3.6-real, python.orig and the like.
    rb"(?:python|pypy)[0-9.]{0,8}+[a-z]{0,4}(?:[._-](?!config)[0-9A-Za-z_-]{1,40})?|libpython[0-9.]{1,8}[a-z]{0,4}\.so[0-9.]{0,8}",
    read,
    beginning=True,
)
