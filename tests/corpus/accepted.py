"""Images that pass: the documents' Dockerfiles, versions at the edges, systems and prefixes of many shapes."""

from tests.corpus.builders import TAR, ZSTD, Image, image, layer
from tests.corpus.case import Case, cleared, good
from tests.corpus.systems import (
    conda,
    conda_python,
    conda_record,
    elf,
    lsb_release,
    miniconda,
    os_release,
    python_files,
    python_record,
    record,
    system_python,
    ubuntu,
)
from tests.corpus.tarballs import (
    file,
    folder,
    hard_link,
    link,
    program,
    whiteout,
)

META = "opt/miniconda/conda-meta"


def source_document() -> Image:
    """Ubuntu 16.04, Miniconda 4.5.12 with its Python 3.7, which the next layer replaces by 3.6."""
    removed = [
        whiteout(f"{META}/python-3.7.1-h0371630_7.json"),
        whiteout("opt/miniconda/bin/python3.7"),
        whiteout("opt/miniconda/include/python3.7m"),
    ]
    installed = [*miniconda("4.5.12", "3.7.1"), file("opt/miniconda/pkgs/urls.txt", "")]
    first = [entry.but(name=entry.path.replace("h0371630_0", "h0371630_7")) for entry in installed]
    first = [
        file(entry.name, record("python", "3.7.1", "h0371630_7")) if "python-3.7.1" in entry.path else entry
        for entry in first
    ]
    return image(ubuntu(), [folder("root")], first, [*removed, *conda_python("3.6.8")])


def nothing_but_lsb() -> Image:
    """No os-release at all."""
    return image([file("etc/lsb-release", lsb_release()), *miniconda()])


def two_condas() -> Image:
    """PATH decides between two prefixes; the other is older and is reported only."""
    return image(ubuntu(), miniconda(), miniconda("4.3.11", "2.7.15", "usr/local/anaconda"))


def conda_by_link() -> Image:
    """PATH has only /usr/local/bin, where conda is a link into the prefix."""
    links = [link("usr/local/bin/conda", "/opt/miniconda/bin/conda")]
    return image(ubuntu(), miniconda(), links, path="/usr/local/bin:/usr/bin")


def prefix_by_link() -> Image:
    """PATH goes through a link to the prefix."""
    entries = [*miniconda(prefix="opt/miniconda3"), link("opt/conda", "miniconda3")]
    return image(ubuntu(), entries, path="/opt/conda/bin:/usr/bin")


def meta_by_link() -> Image:
    """conda-meta itself is a link to another directory."""
    moved = [entry.but(name=entry.path.replace(META, "data/meta")) for entry in miniconda()]
    return image(ubuntu(), [*moved, link(META, "/data/meta")])


def launcher_without_version() -> Image:
    """bin/python is the program itself; the record tells its version."""
    entries = [*conda(), python_record(), program("opt/miniconda/bin/python", elf())]
    return image(ubuntu(), entries)


def header_tells() -> Image:
    """The record of Python is gone (conda clean gone wrong), patchlevel.h still tells."""
    return image(ubuntu(), conda(), python_files("3.6.8", "opt/miniconda"))


def from_package_cache() -> Image:
    """bin/python3.6 is a hard link to the package cache, whose name a later layer deletes."""
    cached = "opt/miniconda/pkgs/python-3.6.8-h0371630_0/bin/python3.6"
    entries = [*conda(), python_record(), program(cached, elf("3.6.8"))]
    linked = [hard_link("opt/miniconda/bin/python3.6", cached, 0o755), link("opt/miniconda/bin/python", "python3.6")]
    return image(ubuntu(), [*entries, *linked], [whiteout("opt/miniconda/pkgs")])


def environment_first() -> Image:
    """An environment stands first on PATH: its Python is the one a shell starts, whatever the base prefix has."""
    environment = conda_python("3.6.1", "opt/miniconda/envs/work")
    path = "/opt/miniconda/envs/work/bin:/opt/miniconda/bin:/usr/bin"
    return image(ubuntu(), miniconda("4.5.12", "3.7.3"), environment, path=path)


CASES: list[Case] = [
    cleared("the source document's Dockerfile", source_document),
    cleared("one layer", lambda: image(good())),
    cleared("three layers", lambda: image(ubuntu(), conda(), conda_python())),
    cleared("zstd layers", lambda: image(layer(*ubuntu(), media_type=ZSTD), layer(*miniconda(), media_type=ZSTD))),
    cleared("plain layers", lambda: image(layer(*ubuntu(), media_type=TAR), layer(*miniconda(), media_type=TAR))),
    cleared("mixed compressions", lambda: image(ubuntu(), layer(*miniconda(), media_type=ZSTD))),
    cleared("python 3.5", lambda: image(ubuntu(), miniconda("4.5.12", "3.5.6")), python=("3.5.6",)),
    cleared("python 3.5.0", lambda: image(ubuntu(), miniconda("4.5.12", "3.5.0")), python=("3.5.0",)),
    cleared("python 3.6.15", lambda: image(ubuntu(), miniconda("4.5.12", "3.6.15")), python=("3.6.15",)),
    cleared("conda 4.5.0", lambda: image(ubuntu(), miniconda("4.5.0")), conda=("4.5.0",)),
    cleared("conda 4.10.3 is newer than 4.5", lambda: image(ubuntu(), miniconda("4.10.3")), conda=("4.10.3",)),
    cleared("conda 23.1.0", lambda: image(ubuntu(), miniconda("23.1.0")), conda=("23.1.0",)),
    cleared("ubuntu 16.10", lambda: image(ubuntu("16.10"), miniconda()), os="ubuntu 16.10"),
    cleared("ubuntu 18.04", lambda: image(ubuntu("18.04"), miniconda()), os="ubuntu 18.04"),
    cleared("ubuntu 22.04", lambda: image(ubuntu("22.04"), miniconda()), os="ubuntu 22.04"),
    cleared("ubuntu 100.04 compares as numbers", lambda: image(ubuntu("100.04"), miniconda()), os="ubuntu 100.04"),
    cleared("os-release in /etc", lambda: image([file("etc/os-release", os_release()), *miniconda()])),
    cleared("os-release in /usr/lib only", lambda: image([file("usr/lib/os-release", os_release()), *miniconda()])),
    cleared("lsb-release only", nothing_but_lsb),
    cleared("two prefixes, PATH decides", two_condas),
    cleared("conda by a link on PATH", conda_by_link),
    cleared("prefix by a link", prefix_by_link),
    cleared("conda-meta by a link", meta_by_link),
    cleared("launcher without a version", launcher_without_version),
    cleared("patchlevel.h tells the version", header_tells),
    cleared("hard link to the package cache", from_package_cache),
    cleared("an environment first on PATH", environment_first, python=("3.6.1",)),
    cleared("a system python beside conda", lambda: image(ubuntu(), system_python("3.8.10"), miniconda())),
    cleared(
        "miniconda in a home directory",
        lambda: image(ubuntu(), miniconda(prefix="home/ubuntu/miniconda2"), path="/home/ubuntu/miniconda2/bin:/bin"),
    ),
    cleared(
        "conda in /usr itself",
        lambda: image(ubuntu(), miniconda(prefix="usr"), path="/usr/bin:/bin"),
    ),
    cleared(
        "conda not on PATH, one prefix",
        lambda: image(ubuntu(), miniconda(), path="/usr/bin:/bin"),
    ),
    cleared(
        "conda not on PATH, two prefixes that agree",
        lambda: image(ubuntu(), miniconda(), miniconda(prefix="opt/other"), path="/usr/bin:/bin"),
        conda=("4.5.12", "4.5.12"),
        python=("3.6.8", "3.6.8"),
    ),
    cleared(
        "two records of conda, both new enough",
        lambda: image(good(), [conda_record("4.6.14")]),
        conda=("4.5.12", "4.6.14"),
    ),
    cleared("a stale record of python", lambda: image(good(), [python_record("3.7.3")])),
    cleared("architecture arm64", lambda: image(good(), architecture="arm64")),
]
