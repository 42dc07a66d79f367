"""Images that can be read and do not pass, each with the reason."""

from tests.corpus.builders import image
from tests.corpus.case import Case, good, refused
from tests.corpus.systems import (
    conda,
    conda_python,
    conda_record,
    elf,
    miniconda,
    os_release,
    python_record,
    record,
    system_python,
    ubuntu,
)
from tests.corpus.tarballs import Entry, file, link, program, whiteout

NONE: tuple[str, ...] = ()
UNKNOWN = ("?",)
META = "opt/miniconda/conda-meta"


def renamed(name: str, package: str = "conda", version: str = "4.5.12", build: str = "0") -> list[Entry]:
    """A prefix whose record of conda bears this file name and says something of its own."""
    other = [entry for entry in miniconda() if "conda-meta/conda-" not in entry.path]
    return [*other, file(f"{META}/{name}", record(package, version, build))]


CASES: list[Case] = [
    refused("ubuntu 14.04", lambda: image(ubuntu("14.04"), miniconda()), os="ubuntu 14.04", says="16.04"),
    refused("ubuntu 15.10", lambda: image(ubuntu("15.10"), miniconda()), os="ubuntu 15.10"),
    refused("ubuntu 9.10 compares as numbers", lambda: image(ubuntu("9.10"), miniconda()), os="ubuntu 9.10"),
    refused("ubuntu 16.03", lambda: image(ubuntu("16.03"), miniconda()), os="ubuntu 16.03"),
    refused("debian 9", lambda: image(ubuntu("9", "debian"), miniconda()), os="debian 9"),
    refused("debian 12.1", lambda: image(ubuntu("12.1", "debian"), miniconda()), os="debian 12.1"),
    refused("linux mint 19.3", lambda: image(ubuntu("19.3", "linuxmint"), miniconda()), os="linuxmint 19.3"),
    refused("pop os", lambda: image(ubuntu("20.04", "pop"), miniconda()), os="pop 20.04"),
    refused("ubuntu-core", lambda: image(ubuntu("16.04", "ubuntu-core"), miniconda()), os="ubuntu-core 16.04"),
    refused("ID is not compared by case", lambda: image(ubuntu("16.04", "Ubuntu"), miniconda()), os="Ubuntu 16.04"),
    refused("alpine", lambda: image(ubuntu("3.10.2", "alpine"), miniconda()), os="alpine 3.10.2"),
    refused("no operating system", lambda: image(miniconda()), os=None),
    refused("os windows", lambda: image(good(), os="windows"), says="configuration names 'windows'"),
    refused("os windows, no release", lambda: image(miniconda(), os="windows"), os="? ?", says="'windows'"),
    refused("os missing", lambda: image(good(), os=None), says="linux"),
    refused("os in capitals", lambda: image(good(), os="Linux"), says="'Linux'"),
    refused("conda 4.4.10", lambda: image(ubuntu(), miniconda("4.4.10")), conda=("4.4.10",), says="4.5"),
    refused("conda 4.4.11 is older than 4.5", lambda: image(ubuntu(), miniconda("4.4.11")), conda=("4.4.11",)),
    refused("conda 3.19.0", lambda: image(ubuntu(), miniconda("3.19.0")), conda=("3.19.0",)),
    refused("conda 4.5.0rc1 comes before 4.5", lambda: image(ubuntu(), miniconda("4.5.0rc1")), conda=("4.5.0rc1",)),
    refused(
        "two records of conda, one too old",
        lambda: image(good(), [conda_record("4.4.10")]),
        conda=("4.4.10", "4.5.12"),
        says="4.4.10",
    ),
    refused(
        "python 3.7.0 as in azureml/base",
        lambda: image(ubuntu(), miniconda("4.5.11", "3.7.0")),
        conda=("4.5.11",),
        python=("3.7.0",),
        says="3.7.0",
    ),
    refused(
        "python 3.10 is not 3.1",
        lambda: image(ubuntu(), miniconda("4.10.3", "3.10.4")),
        conda=("4.10.3",),
        python=("3.10.4",),
    ),
    refused("python 2.7", lambda: image(ubuntu(), miniconda("4.5.12", "2.7.15")), python=("2.7.15",)),
    refused("python 3.4", lambda: image(ubuntu(), miniconda("4.5.12", "3.4.9")), python=("3.4.9",)),
    refused("python 3.60", lambda: image(ubuntu(), miniconda("4.5.12", "3.60.1")), python=("3.60.1",)),
    refused("no conda, python 3.6", lambda: image(ubuntu(), system_python("3.6.8")), conda=NONE, says="Conda"),
    refused("no conda, python 3.5 of xenial", lambda: image(ubuntu(), system_python()), conda=NONE, python=("3.5.2",)),
    refused("nothing at all", lambda: image([file("hello", "world")]), os=None, conda=NONE, python=NONE),
    refused("conda without python", lambda: image(ubuntu(), conda()), conda=UNKNOWN, python=NONE, says="no Python"),
    refused(
        "a record of python without a program",
        lambda: image(ubuntu(), conda(), [python_record()]),
        conda=UNKNOWN,
        python=NONE,
    ),
    refused(
        "what PATH reaches counts, not the prefix's",
        lambda: image(
            good(), [*system_python("3.8.1"), link("usr/bin/python", "python3")], path="/usr/bin:/opt/miniconda/bin"
        ),
        python=("3.8.1",),
    ),
    refused(
        "the program's name says 3.7, the record 3.6",
        lambda: image(
            ubuntu(),
            conda(),
            [
                python_record(),
                program("opt/miniconda/bin/python3.7", elf()),
                link("opt/miniconda/bin/python", "python3.7"),
            ],
        ),
        python=("3.7",),
    ),
    refused(
        "conda-build is not conda",
        lambda: image(ubuntu(), renamed("conda-build-4.5.12-0.json", "conda-build")),
        conda=UNKNOWN,
    ),
    refused(
        "conda-env is not conda",
        lambda: image(ubuntu(), renamed("conda-env-2.6.0-1.json", "conda-env", "2.6.0")),
        conda=UNKNOWN,
    ),
    refused(
        "a libmamba solver is not conda",
        lambda: image(ubuntu(), renamed("conda-libmamba-solver-23.1.0-0.json", "conda-libmamba-solver", "23.1.0")),
        conda=UNKNOWN,
    ),
    refused(
        "a record whose text has another version",
        lambda: image(ubuntu(), renamed("conda-4.5.12-0.json", version="4.4.10")),
        conda=UNKNOWN,
    ),
    refused(
        "a record whose text has another name",
        lambda: image(ubuntu(), renamed("conda-4.5.12-0.json", "codna")),
        conda=UNKNOWN,
    ),
    refused(
        "a record whose text has another build",
        lambda: image(ubuntu(), renamed("conda-4.5.12-0.json", build="1")),
        conda=UNKNOWN,
    ),
    refused("an AppleDouble record", lambda: image(ubuntu(), renamed("._conda-4.5.12-0.json")), conda=UNKNOWN),
    refused(
        "conda in a package cache only",
        lambda: image(ubuntu(), miniconda(prefix="opt/x/pkgs/conda-4.5.12-0"), path="/bin"),
        conda=NONE,
        python=NONE,
    ),
    refused(
        "conda deleted, cache left",
        lambda: image(
            good(),
            [
                whiteout("opt/miniconda/conda-meta"),
                whiteout("opt/miniconda/bin"),
                conda_record(prefix="opt/miniconda/pkgs/c"),
            ],
        ),
        conda=NONE,
        python=NONE,
    ),
    refused(
        "conda by pip only",
        lambda: image(
            ubuntu(),
            system_python("3.6.8"),
            [file("usr/lib/python3/dist-packages/conda-4.5.12.dist-info/METADATA", "Version: 4.5.12")],
        ),
        conda=NONE,
        says="; pip's record of the library at usr/lib/python3/dist-packages/conda-4.5.12.dist-info/METADATA (layer 2)",
    ),
    refused(
        "conda by setuptools only",
        lambda: image(
            ubuntu(), system_python("3.6.8"), [file("opt/lib/conda-4.5.12-py3.6.egg-info/PKG-INFO", "Version: 4.5.12")]
        ),
        conda=NONE,
        says="; pip's record of the library at opt/lib/conda-4.5.12-py3.6.egg-info/PKG-INFO (layer 2) is none; needs",
    ),
    refused(
        "micromamba only",
        lambda: image(ubuntu(), system_python("3.6.8"), [program("usr/bin/micromamba", elf())]),
        conda=NONE,
        says="; micromamba at usr/bin/micromamba (layer 2) is none; needs 4.5",
    ),
    refused(
        "debian's list of conda only",
        lambda: image(ubuntu(), system_python("3.6.8"), [file("var/lib/dpkg/info/conda.list", "/.\n/opt\n")]),
        conda=NONE,
        says="; Debian's record of its package at var/lib/dpkg/info/conda.list (layer 2) is none; needs 4.5",
    ),
    refused(
        "pip, micromamba and debian together are no conda",
        lambda: image(
            ubuntu(),
            system_python("3.6.8"),
            [file("a/conda-4.5.12.dist-info/METADATA"), program("b/micromamba")],
            [file("var/lib/dpkg/info/conda:amd64.list")],
        ),
        conda=NONE,
        says="METADATA (layer 2), micromamba at b/micromamba (layer 2), Debian's record of its package at "
        "var/lib/dpkg/info/conda:amd64.list (layer 3) are none",
    ),
    refused(
        "a deleted micromamba is not named",
        lambda: image(ubuntu(), system_python("3.6.8"), [program("b/micromamba")], [whiteout("b/micromamba")]),
        conda=NONE,
        says="sbin/conda and 2 more; needs 4.5",
    ),
    refused(
        "condas not on PATH disagree",
        lambda: image(ubuntu(), miniconda(), miniconda("4.3.11", prefix="opt/old"), path="/bin"),
        conda=("4.5.12", "4.3.11"),
        python=("3.6.8", "3.6.8"),
    ),
    refused(
        "pythons of prefixes not on PATH disagree",
        lambda: image(ubuntu(), miniconda(), miniconda("4.5.12", "3.7.1", "opt/new"), path="/bin"),
        conda=("4.5.12", "4.5.12"),
        python=("?",),
        says="do not agree",
    ),
    refused(
        "the prefix on PATH is the bad one",
        lambda: image(ubuntu(), miniconda(), miniconda("4.3.11", "3.6.8", "opt/old"), path="/opt/old/bin:/bin"),
        conda=("4.3.11",),
    ),
    refused(
        "python deleted on top",
        lambda: image(good(), [whiteout("opt/miniconda/bin/python3.6")]),
        conda=UNKNOWN,
        python=NONE,
    ),
    refused(
        "conda's program deleted, its record too",
        lambda: image(good(), [whiteout("opt/miniconda/bin/conda"), whiteout(f"{META}/conda-4.5.12-py36_0.json")]),
        conda=NONE,
        python=("3.6.8",),
    ),
    refused(
        "os-release replaced on top",
        lambda: image(good(), [file("usr/lib/os-release", os_release("debian", "10.1"))]),
        os="debian 10.1",
    ),
    refused(
        "python updated on top",
        lambda: image(good(), [whiteout(f"{META}/python-3.6.8-h0371630_0.json"), *conda_python("3.7.4")]),
        python=("3.7.4",),
    ),
]
