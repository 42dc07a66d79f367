"""Detector `dpkg`: the Pythons (and a Conda) that Debian's package manager has installed."""

import re
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector

_PACKAGE = re.compile(rb"python[0-9]\.[0-9]{1,2}(?:-minimal)?|conda|micromamba")
_VERSION = re.compile(rb"[0-9A-Za-z.+~:-]{1,64}")


def read(body: bytes) -> Mapping[str, str]:
    """`{"python3.5-minimal": "3.5.1-10", …}`: installed packages and their versions."""
    versions: dict[str, str] = {}
    for stanza in re.split(rb"\n[ \t\r]*\n", body):
        name = re.search(rb"^Package:[ \t]*(\S+)", stanza, re.MULTILINE)
        if not name or not _PACKAGE.fullmatch(name[1]):
            continue
        status = re.search(rb"^Status:.*\binstalled[ \t\r]*$", stanza, re.MULTILINE)
        version = re.search(rb"^Version:[ \t]*(\S+)", stanza, re.MULTILINE)
        if status and version and _VERSION.fullmatch(version[1]):
            versions[name[1].decode("ascii")] = version[1].decode("ascii")
    return versions


DPKG = Detector("dpkg", 1, rb"status", read, parent=b"var/lib/dpkg")
