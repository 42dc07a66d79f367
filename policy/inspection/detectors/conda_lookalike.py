"""Detector `conda-lookalike`: what a search for Conda comes upon and what proves no Conda.

That is pip's record of the library of that name, micromamba, and the list of files of Debian's package. Only the first
bytes are read: what is there is what is told, and micromamba is large.
"""

import re
from collections.abc import Mapping

from policy.inspection.detectors.detector import Detector

KINDS: Mapping[str, bytes] = {
    "pip's record of the library": rb"(?:.*/)?conda-[0-9][^/]*\.(?:dist|egg)-info/(?:METADATA|PKG-INFO)",
    "micromamba": rb"(?:.*/)?micromamba",
    "Debian's record of its package": rb"var/lib/dpkg/info/conda(?::[^/]*)?\.list",
}
"""What each is called in a sentence, and the paths it has."""
WANTED = rb"METADATA|PKG-INFO|micromamba|conda(?::[^/]*)?\.list"
_VERSION = re.compile(rb"^Version:[ \t]*([0-9A-Za-z.+!_-]{1,64})[ \t\r]*$", re.MULTILINE)


def kind_of(path: bytes) -> str:
    """What a path of a look-alike is; "" for any other path."""
    return next((kind for kind, place in KINDS.items() if re.fullmatch(place, path, re.DOTALL)), "")


def read(body: bytes) -> Mapping[str, str]:
    """`{"version": "4.8.3"}` where pip's record says so, else nothing: that the file is there is what counts."""
    found = _VERSION.search(body)
    return {"version": found[1].decode("ascii")} if found else {}


CONDA_LOOKALIKE = Detector(
    "conda-lookalike", 1, WANTED, read, where=b"|".join(KINDS.values()), limit=4096, beginning=True
)
