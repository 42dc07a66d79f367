"""Images whose facts depend on PATH, and on which Python is the one that counts."""

from tests.corpus.builders import Image, as_json, config_document, image, layer
from tests.corpus.case import Case, cleared, good, refused, unclear
from tests.corpus.systems import (
    PREFIX,
    conda,
    conda_python,
    elf,
    miniconda,
    python_files,
    python_record,
    system_python,
    ubuntu,
)
from tests.corpus.tarballs import Entry, file, folder, link, program

NONE: tuple[str, ...] = ()
OLD = miniconda("4.3.11", "3.6.1", "opt/old")
BIN = f"{PREFIX}/bin"


def on(path: str | None, *more: Entry) -> Image:
    """A good prefix and an old one, found by this PATH."""
    return image([*good(), *OLD, *more], path=path)


def configured(**changes: object) -> Image:
    """A good prefix and an old one, and a configuration with these members."""
    made = layer(*good(), *OLD)
    return image(made, config=as_json({**config_document([made]), **changes}))


def with_env(*values: object) -> Image:
    """The same with this environment."""
    return configured(config={"Env": list(values)})


def raw_config(change: tuple[bytes, bytes]) -> Image:
    """A good image in whose configuration some text is replaced."""
    made = layer(*good(), *OLD)
    return image(made, config=as_json(config_document([made])).replace(*change))


def without_conda(*entries: Entry, path: str | None = "/usr/bin:/bin") -> Image:
    """A system without any Conda."""
    return image([*ubuntu(), *entries], path=path)


def in_prefix(*entries: Entry) -> Image:
    """Conda's prefix with a Python of another making."""
    return image([*ubuntu(), *conda(), *entries])


def pyenv(*versions: str) -> list[Entry]:
    """Pythons as pyenv installs them: shims on PATH, small launchers, versions in libpython."""
    entries = [program("root/.pyenv/shims/python", "#!/usr/bin/env bash\nexec pyenv exec\n")]
    for version in versions:
        short = version.rpartition(".")[0]
        home = f"root/.pyenv/versions/{version}"
        entries += [
            program(f"{home}/bin/python{short}", elf()),
            link(f"{home}/bin/python", f"python{short}"),
            file(f"{home}/lib/libpython{short}m.so.1.0", elf(version, before="/root/.pyenv/versions/")),
        ]
    return entries


BOTH_OLD = {"conda": ("4.3.11",), "python": ("3.6.1",)}
NO_CONDA = {"conda": NONE}
SHIMS = "/root/.pyenv/shims:/usr/bin"

PATHS: list[Case] = [
    cleared("the first on PATH counts", lambda: on("/opt/miniconda/bin:/opt/old/bin")),
    refused("the first on PATH is old", lambda: on("/opt/old/bin:/opt/miniconda/bin"), **BOTH_OLD),
    cleared("a slash at the end", lambda: on("/opt/miniconda/bin/:/opt/old/bin")),
    cleared("slashes everywhere", lambda: on("//opt//miniconda//bin//:/opt/old/bin")),
    cleared("a stale entry first", lambda: on("/opt/gone/bin:/opt/miniconda/bin:/opt/old/bin")),
    refused("relative entries start at WorkingDir", lambda: on("./opt/old/bin:/opt/miniconda/bin"), **BOTH_OLD),
    refused("so do entries without a dot", lambda: on("opt/old/bin:/opt/miniconda/bin"), **BOTH_OLD),
    cleared("empty entries are the working directory, which has neither", lambda: on("::/opt/miniconda/bin:")),
    cleared("variables are not expanded", lambda: on("$HOME/bin:~/bin:/opt/miniconda/bin:$PATH")),
    cleared(".. inside an entry", lambda: on("/opt/old/../miniconda/bin:/opt/old/bin")),
    refused(
        "conda not on PATH, one prefix is old",
        lambda: on("/usr/bin:/bin"),
        conda=("4.5.12", "4.3.11"),
        python=("3.6.8", "3.6.1"),
    ),
    refused("an empty PATH", lambda: on(""), conda=("4.5.12", "4.3.11"), python=("3.6.8", "3.6.1")),
    refused(
        "no PATH, the default has neither", lambda: on(None), conda=("4.5.12", "4.3.11"), python=("3.6.8", "3.6.1")
    ),
    cleared(
        "no PATH, the default reaches conda and no python",
        lambda: on(None, link("usr/local/bin/conda", f"/{BIN}/conda")),
        python=("3.6.8", "3.6.1"),
    ),
    refused(
        "the last PATH of the environment counts",
        lambda: with_env("PATH=/opt/miniconda/bin", "PATH=/opt/old/bin"),
        **BOTH_OLD,
    ),
    unclear("PATH without a value", lambda: with_env("PATH=/opt/miniconda/bin", "PATH"), "without a value"),
    cleared("another variable that ends with PATH", lambda: with_env("MYPATH=/opt/old/bin", "PATH=/opt/miniconda/bin")),
    refused(
        "Path is not PATH",
        lambda: with_env("Path=/opt/miniconda/bin"),
        conda=("4.5.12", "4.3.11"),
        python=("3.6.8", "3.6.1"),
    ),
    cleared("conda without an execute bit is passed over", lambda: on("/sbin:/opt/miniconda/bin", file("sbin/conda"))),
    cleared("a directory conda is passed over", lambda: on("/sbin:/opt/miniconda/bin", folder("sbin/conda"))),
    cleared("a dangling conda is passed over", lambda: on("/sbin:/opt/miniconda/bin", link("sbin/conda", "gone"))),
    refused(
        "a wrapper named conda proves nothing, whatever other prefixes have",
        lambda: on("/usr/local/bin:/opt/miniconda/bin", program("usr/local/bin/conda", "#!/bin/sh\n")),
        conda=("?",),
    ),
    cleared(
        "condabin",
        lambda: on("/opt/miniconda/condabin:/opt/old/bin", program(f"{PREFIX}/condabin/conda", elf())),
        python=("3.6.1",),
    ),
    refused(
        "a conda that begins a script and names nothing",
        lambda: on("/opt/miniconda/condabin:/opt/old/bin", program(f"{PREFIX}/condabin/conda", "#!")),
        **BOTH_OLD,
    ),
    cleared("PATH in UTF-8", lambda: image([*ubuntu(), *miniconda(prefix="opt/コンダ")], path="/opt/コンダ/bin:/bin")),
]

CONFIGURATIONS: list[Case] = [
    unclear("config is no JSON", lambda: raw_config((b'"architecture"', b"architecture")), "configuration"),
    unclear("config has a member twice", lambda: raw_config((b'"os":"linux"', b'"os":"linux","os":"linux"')), "twice"),
    unclear(
        "config has a member in two cases", lambda: raw_config((b'"os":"linux"', b'"os":"linux","OS":"linux"')), "case"
    ),
    unclear(
        "Config in another case, which Go would read",
        lambda: raw_config((b'"config":{"Env":["PATH=/opt/miniconda/bin:', b'"Config":{"Env":["PATH=/opt/old/bin:')),
        "'Config' would be read as 'config'",
    ),
    unclear("env in another case", lambda: raw_config((b'"Env"', b'"env"')), "'env' would be read as 'Env'"),
    unclear("config and Config", lambda: raw_config((b'"os":"linux"', b'"os":"linux","Config":{"Env":[]}')), "case"),
    unclear("env is no list", lambda: configured(config={"Env": "PATH=/opt/miniconda/bin"}), "Env"),
    unclear("env has a number", lambda: with_env("A=1", 7), "Env"),
    unclear("config is a list", lambda: configured(config=[]), "config"),
    unclear("os is a number", lambda: configured(os=7), "os"),
    unclear("rootfs is missing", lambda: configured(rootfs=None), "rootfs"),
    unclear("config is a byte of junk", lambda: image(good(), config=b"\xff"), "configuration"),
    unclear("config is nested without end", lambda: image(good(), config=b"[" * 100_000), "configuration"),
    refused("config is null", lambda: configured(config=None), conda=("4.5.12", "4.3.11"), python=("3.6.8", "3.6.1")),
]

PYTHONS: list[Case] = [
    refused(
        "without conda, python on PATH", lambda: without_conda(*system_python("3.6.9")), **NO_CONDA, python=("3.6.9",)
    ),
    refused(
        "without conda, python before python3",
        lambda: without_conda(
            *system_python("3.6.9"), program("usr/bin/python2.7", elf()), link("usr/bin/python", "python2.7")
        ),
        **NO_CONDA,
        python=("2.7",),
    ),
    refused(
        "without conda, by alternatives",
        lambda: without_conda(
            *system_python("3.6.9"),
            link("usr/bin/python", "/etc/alternatives/python"),
            link("etc/alternatives/python", "/usr/bin/python3"),
        ),
        **NO_CONDA,
        python=("3.6.9",),
    ),
    refused(
        "without conda, pyenv with one version",
        lambda: without_conda(*pyenv("3.6.15"), path=SHIMS),
        **NO_CONDA,
        python=("?",),
    ),
    refused(
        "without conda, pyenv with two",
        lambda: without_conda(*pyenv("3.6.15", "3.7.3"), path=SHIMS),
        **NO_CONDA,
        python=("?",),
        says="may start any Python",
    ),
    refused(
        "without conda, pyenv and the system's agree",
        lambda: without_conda(*pyenv("3.6.15"), *system_python("3.6.9"), path=SHIMS),
        **NO_CONDA,
        python=("?",),
    ),
    refused(
        "without conda, scripts named like Pythons do not count",
        lambda: without_conda(*python_files("3.6.8", "opt/py"), program("opt/x/bin/python3.7", "#!/bin/sh\n")),
        **NO_CONDA,
    ),
    refused("without conda, nothing on PATH", lambda: without_conda(*python_files("3.6.8", "opt/py")), **NO_CONDA),
    refused(
        "without conda, a copied virtual environment",
        lambda: without_conda(
            program("venv/bin/python", elf()),
            file("venv/pyvenv.cfg", "home = /usr/bin\nversion = 3.6.9\n"),
            path="/venv/bin",
        ),
        **NO_CONDA,
        python=("3.6.9",),
    ),
    refused(
        "without conda, a linked virtual environment",
        lambda: without_conda(*system_python("3.6.9"), link("venv/bin/python", "/usr/bin/python3"), path="/venv/bin"),
        **NO_CONDA,
        python=("3.6.9",),
    ),
    refused(
        "without conda, a program with a version inside",
        lambda: without_conda(program("usr/bin/python", elf("3.6.9"))),
        **NO_CONDA,
        python=("3.6.9",),
    ),
    refused(
        "without conda, a program with two versions inside",
        lambda: without_conda(program("usr/bin/python", elf("3.6.9", "3.7.1"))),
        **NO_CONDA,
        python=("?",),
    ),
    unclear(
        "without conda, python by a name nobody reads",
        lambda: without_conda(program("opt/thing", elf("3.6.9")), link("usr/bin/python", "/opt/thing")),
        "not kept",
    ),
    cleared(
        "a foreign version inside does not count",
        lambda: in_prefix(
            program(f"{BIN}/python3.6", elf("1.2.11", "3.31.1", "3.6.8")), link(f"{BIN}/python", "python3.6")
        ),
    ),
    cleared(
        "the version inside, merged with a path",
        lambda: in_prefix(
            program(f"{BIN}/python3.6", elf("3.6.8", before="/versions/")), link(f"{BIN}/python", "python3.6")
        ),
    ),
    cleared(
        "only the name tells",
        lambda: in_prefix(program(f"{BIN}/python3.6", elf()), link(f"{BIN}/python", "python3.6")),
        python=("3.6",),
    ),
    cleared(
        "python3.6m",
        lambda: in_prefix(python_record(), program(f"{BIN}/python3.6m", elf()), link(f"{BIN}/python", "python3.6m")),
    ),
    refused(
        "python3 only, so that conda's own script cannot start",
        lambda: in_prefix(python_record(), program(f"{BIN}/python3", elf())),
        conda=("?",),
    ),
    refused(
        "a file of no known format, with Conda's record",
        lambda: in_prefix(python_record(), program(f"{BIN}/python", "exec /opt/other/bin/python3.7\n")),
        python=("?",),
    ),
    refused(
        "a file of no known format, without a record",
        lambda: in_prefix(program(f"{BIN}/python3.6", "stub"), link(f"{BIN}/python", "python3.6")),
        python=("?",),
    ),
    refused(
        "a file of no known format, with a record of another series",
        lambda: in_prefix(python_record("3.7.0"), program(f"{BIN}/python", "stub")),
        python=("?",),
    ),
    refused(
        "a script, with Conda's record",
        lambda: in_prefix(python_record(), program(f"{BIN}/python", "#!/bin/sh\n")),
        python=("?",),
    ),
    refused(
        "a script named python, one program beside it",
        lambda: in_prefix(
            python_record(), program(f"{BIN}/python", "#!/bin/sh\nexec python3.6\n"), program(f"{BIN}/python3.6", elf())
        ),
        python=("?",),
    ),
    refused(
        "a script named python first on PATH, a good one behind it",
        lambda: on("/first:/opt/miniconda/bin", program("first/python", "#!/bin/sh\necho Python 3.7.1\n")),
        python=("?",),
    ),
    refused(
        "a script named python, two programs beside it",
        lambda: in_prefix(
            program(f"{BIN}/python", "#!/bin/sh\n"),
            program(f"{BIN}/python3.6", elf()),
            program(f"{BIN}/python3.7", elf()),
        ),
        python=("?",),
        says="may start any Python",
    ),
    refused(
        "a script named python3.6",
        lambda: in_prefix(
            python_record(), program(f"{BIN}/python3.6", "#!/bin/sh\n"), link(f"{BIN}/python", "python3.6")
        ),
        python=("?",),
    ),
    refused(
        "python without an execute bit",
        lambda: in_prefix(python_record(), file(f"{BIN}/python", elf())),
        conda=("?",),
        python=NONE,
    ),
    refused(
        "two records, the program has no version in its name",
        lambda: in_prefix(python_record(), python_record("3.7.3"), program(f"{BIN}/python", elf())),
        python=("?",),
    ),
    refused(
        "the record and the header disagree with the name",
        lambda: in_prefix(
            python_record(),
            file(f"{PREFIX}/include/python3.6m/patchlevel.h", '#define PY_VERSION "3.6.8"\n'),
            program(f"{BIN}/python3.8", elf()),
            link(f"{BIN}/python", "python3.8"),
        ),
        python=("3.8",),
    ),
    refused(
        "bin/python leads out of the prefix",
        lambda: in_prefix(*system_python("3.8.10"), link(f"{BIN}/python", "/usr/bin/python3")),
        conda=("?",),
        python=("3.8.10",),
    ),
    cleared(
        "python_abi and python-dateutil are not Python",
        lambda: in_prefix(
            *conda_python(),
            file(f"{PREFIX}/conda-meta/python-dateutil-2.8.1-py_0.json", "{}"),
            file(f"{PREFIX}/conda-meta/python_abi-3.7-1_cp37m.json", "{}"),
        ),
    ),
    cleared(
        "two records of one series",
        lambda: in_prefix(*conda_python(), python_record("3.6.5")),
        python=("3.6.5", "3.6.8"),
    ),
]

CASES: list[Case] = [*PATHS, *CONFIGURATIONS, *PYTHONS]
