"""File trees laid out after the custom-image document: Ubuntu 16.04, Miniconda, Python 3.6 put in by a later layer."""

import json
import random

from tests.clients.layouts import DEFAULT_PATH, Image, Tree

CONDA_PATH = f"/opt/miniconda/bin:{DEFAULT_PATH}"
PREFIX = "opt/miniconda"
LARGE_BYTES = 8 << 20
OS_RELEASE = b'NAME="Ubuntu"\nVERSION="16.04.6 LTS (Xenial Xerus)"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="16.04"\n'


def _record(name: str, version: str, build: str) -> dict[str, bytes | str]:
    text = json.dumps({"name": name, "version": version, "build": build, "build_number": 0, "channel": "defaults"})
    return {f"{PREFIX}/conda-meta/{name}-{version}-{build}.json": text.encode()}


def ubuntu(marker: str = "") -> Tree:
    """The base layer: os-release behind its usual link; `marker` makes the layer one of a kind."""
    return {
        "etc/": b"",
        "usr/lib/os-release": OS_RELEASE,
        "etc/os-release": "../usr/lib/os-release",
        "bin/sh": b"\x7fELF" + bytes(60),
        "etc/marker": marker.encode(),
    }


def miniconda() -> Tree:
    """The installer's layer: Conda 4.5.12 with the Python 3.7.1 that it brings."""
    return {
        f"{PREFIX}/conda-meta/history": b"==> 2018-12-17 00:00:00 <==\n",
        **_record("conda", "4.5.12", "py37_0"),
        **_record("python", "3.7.1", "h0371630_7"),
        f"{PREFIX}/bin/conda": b"#!/opt/miniconda/bin/python\n",
        f"{PREFIX}/bin/python3.7": b"\x7fELF" + bytes(60),
        f"{PREFIX}/bin/python": "python3.7",
    }


def python36() -> Tree:
    """What `conda install python=3.6` leaves: the old record and interpreter whited out, the new ones added."""
    return {
        f"{PREFIX}/conda-meta/.wh.python-3.7.1-h0371630_7.json": b"",
        f"{PREFIX}/bin/.wh.python3.7": b"",
        **_record("python", "3.6.8", "h0371630_0"),
        f"{PREFIX}/bin/python3.6": b"\x7fELF" + bytes(60),
        f"{PREFIX}/bin/python": "python3.6",
    }


def incompressible(size: int) -> Tree:
    """A layer of one file whose bytes do not compress; the same for the same size."""
    return {"opt/weights.bin": random.Random(size).randbytes(size)}  # noqa: S311 -- content, not a secret


def cleared_image(marker: str = "", architecture: str = "amd64", *, large: bool = False) -> Image:
    """An image that carries what the deployment service requires; a large one has a layer of 8 MiB more."""
    more = (incompressible(LARGE_BYTES),) if large else ()
    return Image((ubuntu(marker), miniconda(), python36(), *more), CONDA_PATH, architecture)


def refused_image(marker: str = "") -> Image:
    """An image that stopped before Python 3.6 was installed."""
    return Image((ubuntu(marker), miniconda()), CONDA_PATH)
