"""Detector `interpreter`: whether a file named like a Python is a program, and the versions its bytes carry.

In a shared build libpython carries the version, the launcher does not. The linker may have merged the version with a
longer string (".../versions/3.6.15"), so a version is recognised by the NUL at its end.
"""

import re
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector
from policy.inspection.detectors.elf import MAGIC, NotStarted, read_elf

# The pattern begins behind the major version: with a fixed first byte the search is as fast as memory.
_MINOR = re.compile(rb"\.(?<=[23]\.)(?<![0-9.][23]\.)[0-9]{1,2}\.[0-9]{1,2}(?:(?:a|b|rc)[0-9]{1,2})?\+?\0")
_KEPT = 16
_LINE = 256  # BINPRM_BUF_SIZE of Linux: what it reads of a script
_BLANKS = b" \t"


def script_interpreter(body: bytes) -> str | None:
    """The interpreter that Linux starts for a script (fs/binfmt_script.c), in Latin-1; "" leads to ENOENT.

    `None` when Linux refuses the first line; a shell then runs the file as a script.
    """
    head = body[:_LINE].ljust(_LINE, b"\0")
    line, newline, _ = head.partition(b"\0")[0].partition(b"\n")
    if newline:
        text = line[2:]
    else:
        text = head[2:-1]
        if not re.search(rb"[ \t\0]", head[2:].lstrip(_BLANKS)):
            return None  # the path may be cut off
    name = text.strip(_BLANKS)
    return re.split(rb"[ \t\0]", name)[0].decode("latin-1") if name else None


def script_argument(body: bytes) -> str:
    """What Linux gives an interpreter as its argument: the rest of the first line, in Latin-1."""
    line = body[2 : _LINE - 1].partition(b"\n")[0].partition(b"\0")[0].strip(_BLANKS)
    return re.split(rb"[ \t]+", line, maxsplit=1)[-1].decode("latin-1") if re.search(rb"[ \t]", line) else ""


def started_by(body: bytes) -> dict[str, str]:
    """How the kernel starts a file (execve(2)).

    `{"format": "elf" | "script" | "other", "starter": "/bin/sh", "machine": "64 62"}`. `format` is `other` when the
    kernel refuses it with ENOEXEC; a shell then runs it as a script. `starter` is a script's interpreter or an ELF
    file's loader, in Latin-1, if there is one; `argument` is what a script gives its interpreter.
    `machine` is set for an ELF file that can be a loader.

    Raises:
        Unreadable: the starter is not named in these bytes.
    """
    if body.startswith(b"#!"):
        starter = script_interpreter(body)
        if starter is None:
            return {"format": "script"}
        argument = script_argument(body)
        return {"format": "script", "starter": starter} | ({"argument": argument} if argument else {})
    if not body.startswith(MAGIC):
        return {"format": "other"}
    try:
        elf = read_elf(body)
    except NotStarted:
        return {"format": "other"}
    values = {"format": "elf", "machine": elf.machine} if elf.machine else {"format": "elf"}
    return values if elf.loader is None else {**values, "starter": elf.loader.decode("latin-1")}


def read(body: bytes) -> Mapping[str, str]:
    """The values of `started_by`, and for an ELF file `"versions": "3.6.15 …"`: each once, at most 16.

    Raises:
        Unreadable: as `started_by`.
    """
    values = started_by(body)
    if values["format"] != "elf":
        return values
    versions = dict.fromkeys(
        body[match.start() - 1 : match.end() - 1].decode("ascii") for match in _MINOR.finditer(body)
    )
    return {**values, "versions": " ".join(list(versions)[:_KEPT])}


INTERPRETER = Detector(
    "interpreter",
    5,
    # Wrapping tools rename programs to python3.6-real, python.orig and the like.
    rb"(?:python|pypy)[0-9.]{0,8}+[a-z]{0,4}(?:[._-](?!config)[0-9A-Za-z_-]{1,40})?|libpython[0-9.]{1,8}[a-z]{0,4}\.so[0-9.]{0,8}",
    read,
    beginning=True,
)
