"""Which Python counts (I8): the one that PATH reaches, and what is asked where PATH reaches none."""

from typing import Any

from tests.corpus.tarballs import (
    Entry,
    file,
    folder,
    link,
    program,
    whiteout,
)
from tests.runtime import programs
from tests.runtime.images import (
    PATH,
    SYSTEM_PATH,
    Image,
    evil,
    good,
    image,
    prefix,
    record,
    release,
)
from tests.runtime.kinds.case import Case, cleared, judged, refused

SYSTEM = [program("usr/bin/python3.5", programs.python("3.5.2")), link("usr/bin/python3", "python3.5")]
MODERN = [program("usr/bin/python3.11", programs.python("3.11.2")), link("usr/bin/python3", "python3.11")]
NAMED = [program("usr/bin/python2.7", programs.python("2.7.12")), link("usr/bin/python", "python2.7")]


def on(path: str, *entries: Entry, lower: list[Entry] | None = None, **config: Any) -> Image:
    """A prefix that passes, further programs, and a PATH."""
    return image(good() if lower is None else lower, list(entries), path=path, **config)


def without(*names: str) -> list[Entry]:
    """The good prefix without some of its members."""
    return [entry for entry in good() if entry.path.removeprefix("opt/good/") not in names]


AFTER = f"{SYSTEM_PATH}:/opt/good/bin"
BEFORE = f"/opt/good/bin:{SYSTEM_PATH}"
CASES: tuple[Case, ...] = (
    judged("system's python3 before the prefix", lambda: on(AFTER, *SYSTEM)),
    refused("system's python before the prefix", lambda: on(AFTER, *NAMED)),
    judged("system's newer python3 before the prefix, python in it", lambda: on(AFTER, *MODERN)),
    refused(
        "only the system's newer python3 on PATH",
        lambda: on(SYSTEM_PATH, *MODERN, link("usr/bin/conda", "/opt/good/bin/conda")),
    ),
    judged(
        "only the system's python3 on PATH",
        lambda: on(SYSTEM_PATH, *SYSTEM, link("usr/bin/conda", "/opt/good/bin/conda")),
    ),
    cleared("prefix before the system's python", lambda: on(BEFORE, *NAMED)),
    judged(
        "conda by a link, python by the prefix",
        lambda: on(f"/first:{BEFORE}", folder("first"), link("first/conda", "/opt/good/bin/conda")),
    ),
    judged(
        "conda by a link, python of the other prefix",
        lambda: image(
            good(),
            evil(),
            [folder("first"), link("first/conda", "/opt/good/bin/conda")],
            path=f"/first:/opt/evil/bin:{BEFORE}",
        ),
    ),
    judged(
        "conda of the other prefix, python of the good one",
        lambda: image(
            good(), evil(), [folder("first"), link("first/conda", "/opt/evil/bin/conda")], path=f"/first:{PATH}"
        ),
    ),
    judged("no conda on PATH", lambda: on(SYSTEM_PATH)),
    judged("no conda on PATH, the system's python3", lambda: on(SYSTEM_PATH, *SYSTEM)),
    judged("no conda on PATH, two prefixes", lambda: image(good(), evil(), path=SYSTEM_PATH)),
    judged(
        "no conda on PATH, two prefixes that pass",
        lambda: image(good(), prefix("srv/good", "4.6.0", "3.5.2"), path=SYSTEM_PATH),
    ),
    judged(
        "condabin only",
        lambda: on(
            f"/opt/good/condabin:{SYSTEM_PATH}",
            folder("opt/good/condabin"),
            link("opt/good/condabin/conda", "../bin/conda"),
        ),
    ),
    judged("no python in the prefix", lambda: on(BEFORE, lower=without("bin/python", "bin/python3", "bin/python3.6"))),
    judged(
        "no python in the prefix, the system's",
        lambda: on(BEFORE, *SYSTEM, lower=without("bin/python", "bin/python3", "bin/python3.6")),
    ),
    judged("python3.6 only", lambda: on(BEFORE, lower=without("bin/python", "bin/python3"))),
    judged("python3 only", lambda: on(BEFORE, lower=without("bin/python"))),
    judged("python3 only, the system's python", lambda: on(BEFORE, *NAMED, lower=without("bin/python"))),
    judged("python3 only, the other prefix's python", lambda: image(without("bin/python"), evil())),
    judged(
        "python that is not executable, the other prefix's is",
        lambda: image([e.but(mode=0o644) if e.path.endswith("python3.6") else e for e in good()], evil()),
    ),
    judged(
        "python that is not executable, python3 that is",
        lambda: on(BEFORE, lower=[*without("bin/python"), file("opt/good/bin/python", "x")]),
    ),
    judged(
        "python that is a directory", lambda: on(BEFORE, lower=[*without("bin/python"), folder("opt/good/bin/python")])
    ),
    judged(
        "python that is a link to nothing",
        lambda: on(BEFORE, lower=[*without("bin/python"), link("opt/good/bin/python", "none")]),
    ),
    judged(
        "conda that is not executable",
        lambda: on(BEFORE, lower=[e.but(mode=0o644) if e.path.endswith("/conda") else e for e in good()]),
    ),
    judged("conda without a record", lambda: on(BEFORE, lower=without("conda-meta/conda-4.5.12-h0_0.json"))),
    judged("python without a record", lambda: on(BEFORE, lower=without("conda-meta/python-3.6.5-h0_0.json"))),
    judged(
        "python without x and without #!, vouched for",
        lambda: on(
            BEFORE, lower=[*without("bin/python"), program("opt/good/bin/python", programs.nameless("Python 3.6.5"))]
        ),
    ),
    judged("two records of conda", lambda: on(BEFORE, record("conda", "4.6.0", "opt/good"))),
    judged("stale record of python", lambda: on(BEFORE, record("python", "3.7.1", "opt/good"))),
    judged("os-release only in usr/lib", lambda: image(good(), [whiteout("etc/os-release")])),
    judged(
        "no os-release, lsb-release",
        lambda: image(
            good(),
            [
                whiteout("etc/os-release"),
                whiteout("usr/lib/os-release"),
                file("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=18.04\n"),
            ],
        ),
    ),
    judged("version of one number", lambda: image(good(), [file("usr/lib/os-release", release("12", "debian"))])),
    judged(
        "virtual environment first",
        lambda: on(
            f"/venv/bin:{BEFORE}",
            folder("venv/bin"),
            link("venv/bin/python", "/usr/bin/python3.5"),
            file("venv/pyvenv.cfg", "version = 3.5.2\nhome = /usr/bin\n"),
            *SYSTEM,
        ),
    ),
    judged(
        "virtual environment of the prefix",
        lambda: on(
            f"/venv/bin:{BEFORE}",
            folder("venv/bin"),
            link("venv/bin/python", "/opt/good/bin/python3.6"),
            file("venv/pyvenv.cfg", "version = 3.6.5\nhome = /opt/good/bin\n"),
        ),
    ),
    judged(
        "environment of Conda first",
        lambda: image(
            good(),
            prefix("opt/good/envs/e", "4.5.12", "3.5.5")[:2],
            [
                program("opt/good/envs/e/bin/python", programs.python("3.5.5")),
                record("python", "3.5.5", "opt/good/envs/e"),
            ],
            path=f"/opt/good/envs/e/bin:{BEFORE}",
        ),
    ),
    judged(
        "package cache only",
        lambda: on(f"/opt/good/pkgs/conda/bin:{SYSTEM_PATH}", lower=prefix("opt/good/pkgs/conda", "4.5.12", "3.6.5")),
    ),
    judged(
        "pypy first",
        lambda: on(f"/first:{BEFORE}", program("first/pypy3", programs.python("3.9.1")), link("first/python", "pypy3")),
    ),
    judged(
        "python of another name",
        lambda: on(f"/first:{BEFORE}", program("first/snake", programs.python("3.7.1")), link("first/python", "snake")),
    ),
    judged("python that is a shell", lambda: on(f"/first:{BEFORE}", link("first/python", "/bin/busybox"))),
    judged(
        "python's name without series",
        lambda: on(f"/first:{BEFORE}", program("first/python", programs.python("3.7.1"))),
    ),
)
