"""Detector `conda-lookalike`: files that look like a Conda but do not prove one.

They are pip's record of the library of that name, micromamba, and the file list of Debian's package. Only the first
bytes are read, because micromamba is large.
"""

import re
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector

KINDS: Mapping[str, bytes] = {
    "pip's record of the library": rb"(?:.*/)?conda-[0-9][^/]*\.(?:dist|egg)-info/(?:METADATA|PKG-INFO)",
    "micromamba": rb"(?:.*/)?micromamba",
    "Debian's record of its package": rb"var/lib/dpkg/info/conda(?::[^/]*)?\.list",
}
"""By name, as messages use it: the paths it has."""
WANTED = rb"METADATA|PKG-INFO|micromamba|conda(?::[^/]*)?\.list"
_VERSION = re.compile(rb"^Version:[ \t]*([0-9A-Za-z.+!_-]{1,64})[ \t\r]*$", re.MULTILINE)


def kind_of(path: bytes) -> str:
    """The name of the look-alike at a path; "" for any other path."""
    return next((kind for kind, place in KINDS.items() if re.fullmatch(place, path, re.DOTALL)), "")


def read(body: bytes) -> Mapping[str, str]:
    """`{"version": "4.8.3"}` from pip's record, else nothing: the presence of the file is what counts."""
    match = _VERSION.search(body)
    return {"version": match[1].decode("ascii")} if match else {}


CONDA_LOOKALIKE = Detector(
    "conda-lookalike", 1, WANTED, read, where=b"|".join(KINDS.values()), limit=4096, beginning=True
)
