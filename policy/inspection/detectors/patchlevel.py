"""Detector `patchlevel`: the version in Python's own header file `patchlevel.h`."""

import re
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector, Unreadable

_VERSION = re.compile(rb'^[ \t]*#[ \t]*define[ \t]+PY_VERSION[ \t]+"([0-9][0-9A-Za-z.+]{0,31})"', re.MULTILINE)


def read(body: bytes) -> Mapping[str, str]:
    """`{"version": "3.6.5"}`.

    Raises:
        Unreadable: no PY_VERSION, or more than one.
    """
    versions = set(_VERSION.findall(body))
    if len(versions) != 1:
        raise Unreadable(f"{len(versions)} definitions of PY_VERSION")
    return {"version": versions.pop().decode("ascii")}


PATCHLEVEL = Detector("patchlevel", 1, rb"patchlevel\.h", read, limit=64 * 1024)
