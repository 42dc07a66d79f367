"""Detector `interpreter`: whether a file named like a Python is a program, and the versions its bytes carry.

A launcher of a shared build has no version in it, libpython has. The linker may have merged the version with a longer
string (".../versions/3.6.15"), so that what matters is that a version ends with a NUL.
"""

import re
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector

_ELF = b"\x7fELF"
# What follows the major version: beginning with a fixed byte it is searched for at the speed of memory.
_MINOR = re.compile(rb"\.(?<=[23]\.)(?<![0-9.][23]\.)[0-9]{1,2}\.[0-9]{1,2}(?:(?:a|b|rc)[0-9]{1,2})?\+?\0")
_KEPT = 16


def form_of(body: bytes) -> str:
    """`elf` for a program, `script` for what names its interpreter, else `other`: a shell takes that for its own."""
    if body.startswith(_ELF):
        return "elf"
    return "script" if body.startswith(b"#!") else "other"


def read(body: bytes) -> Mapping[str, str]:
    """`{"format": "elf" | "script" | "other", "versions": "3.6.15 …"}`, each version once, at most 16."""
    form = form_of(body)
    if form != "elf":
        return {"format": form}
    found = dict.fromkeys(body[match.start() - 1 : match.end() - 1].decode("ascii") for match in _MINOR.finditer(body))
    return {"format": "elf", "versions": " ".join(list(found)[:_KEPT])}


INTERPRETER = Detector(
    "interpreter",
    2,
    # What wrapping tools rename is called python3.6-real, python.orig and the like.
    rb"(?:python|pypy)[0-9.]{0,8}+[a-z]{0,4}(?:[._-](?!config)[0-9A-Za-z_-]{1,40})?|libpython[0-9.]{1,8}[a-z]{0,4}\.so[0-9.]{0,8}",
    read,
    beginning=True,
)
