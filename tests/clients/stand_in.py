"""A stand-in for ubuntu:16.04 in which the example Dockerfile can run to its end without a network.

Its `apt-get` does nothing, its `curl` hands out an installer, and that lays out the prefix which the real installer of
Miniconda 4.5.12 leaves: the Dockerfile's own steps run, each in a container, each making the layer that it makes.
"""

import shutil
from pathlib import Path

from tests.clients.layouts import Tree, layer_tar
from tests.clients.trees import OS_RELEASE

APPLETS = ("sh", "cat", "chmod", "cp", "ln", "ls", "mkdir", "mv", "printf", "rm", "tr")

CURL = b"""#!/bin/sh
while [ "$1" != --output ]; do shift; done
cp /usr/share/stand-in/installer.sh "$2"
"""

RECORDS = b"""
record() {  # name, version, build
    mkdir -p /opt/miniconda/conda-meta
    printf '{"name": "%s", "version": "%s", "build": "%s", "build_number": 0}' "$1" "$2" "$3" \\
        > "/opt/miniconda/conda-meta/$1-$2-$3.json"
}
python() {  # full version, build
    rm -f /opt/miniconda/conda-meta/python-*.json /opt/miniconda/bin/python*
    record python "$1" "$2"
    cp /bin/busybox "/opt/miniconda/bin/python${1%.*}"
    ln -s "python${1%.*}" /opt/miniconda/bin/python
}
"""

INSTALLER = b"""#!/bin/sh -e
. /usr/share/stand-in/records.sh
mkdir -p /opt/miniconda/bin /opt/miniconda/conda-meta
printf '==> 2018-12-17 00:00:00 <==\\n' > /opt/miniconda/conda-meta/history
record conda 4.5.12 py37_0
python 3.7.1 h0371630_7
cp /usr/share/stand-in/conda.sh /opt/miniconda/bin/conda
chmod 755 /opt/miniconda/bin/conda
"""

CONDA = b"""#!/bin/sh -e
. /usr/share/stand-in/records.sh
for wanted in "$@"; do
    case "$wanted" in
    python=3.6) python 3.6.8 h0371630_0 ;;
    python=3.7) python 3.7.1 h0371630_7 ;;
    esac
done
"""


def ubuntu_root() -> bytes:
    """The stand-in's root as a tar that `docker import` takes."""
    busybox = Path(shutil.which("busybox") or "").read_bytes()
    tree: Tree = {
        "bin/busybox": busybox,
        **{f"bin/{applet}": "busybox" for applet in APPLETS},
        "usr/lib/os-release": OS_RELEASE,
        "etc/os-release": "../usr/lib/os-release",
        "usr/bin/apt-get": b"#!/bin/sh\n",
        "usr/bin/curl": CURL,
        "usr/share/stand-in/installer.sh": INSTALLER,
        "usr/share/stand-in/records.sh": RECORDS,
        "usr/share/stand-in/conda.sh": CONDA,
        "var/lib/apt/lists/": b"",
        "tmp/": b"",
    }
    return layer_tar(tree)
