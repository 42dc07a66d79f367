"""Random images by seed in which the members of a prefix come and go one by one.

What a program of a prefix says, and what the prefix's records say, is always the same, so that only what is there and
what a shell reaches is random: programs without records, records without programs, scripts and texts instead of
programs, interpreters and loaders that are there or not, links of programs and of directories from prefix to prefix.
"""

import random
from collections.abc import Callable

from tests.corpus.tarballs import (
    Entry,
    file,
    folder,
    hard_link,
    link,
    opaque,
    program,
    whiteout,
)
from tests.runtime import programs
from tests.runtime.images import SYSTEM_PATH, image, owned, record
from tests.runtime.stacks import RARE, USERS, Chance, Stack

VERSIONS = {"opt/a": ("4.5.12", "3.6.5"), "opt/b": ("4.3.0", "3.7.1"), "usr/local": ("4.8.3", "3.5.6")}
HOMES = tuple(VERSIONS)
LOADERS = ("/lib/ld.so", "/opt/b/lib/ld.so.2", "/none/ld.so")
FIRST = ("#!/bin/sh", "#!/bin/sh", "#! /bin/env sh", "#!/none/sh", "#!bin/sh", "#!/w/sh", "#!/opt/a/bin/sh", "#!", "")
PLACES = (
    *("/opt/a/bin", "/opt/a/bin", "/opt/b/bin", "/opt/b/bin", "/w", "/l/bin", "/m", "/opt/a/condabin", "/opt/c/bin"),
    *("opt/b/bin", "bin", "../opt/a/bin", "/l/../opt/b/bin", "/none", "/opt/a/bin/../../b/bin", "/usr/bin"),
)
WORKING = ("", "", "/", "/opt", "/opt/a", "/w", "/none")
MODES = (0o755, 0o755, 0o755, 0o755, 0o711, 0o700, 0o644, 0o555)
Members = list[Entry]


def torn_stack(seed: int) -> Stack:
    """The image of a seed; the same on every machine."""
    chance = random.Random(f"torn {seed}")  # noqa: S311 - a test's own
    layers = [_first(chance), *(_layer(chance) for _ in range(chance.randint(1, 4)))]
    path = ":".join([*chance.sample(PLACES, chance.randint(2, 5)), SYSTEM_PATH])
    user = chance.choice(USERS) if chance.random() < 0.4 else ""
    return Stack(seed, image(*layers, User=user, WorkingDir=chance.choice(WORKING), Env=[f"PATH={path}"]))


def _first(chance: Chance) -> Members:
    """Two prefixes of which little is missing, a loader, and links from outside into them."""
    made = [folder("lib"), program("lib/ld.so", programs.loader()), folder("w"), folder("opt")]
    for home in chance.sample(HOMES, 2):
        made += [folder(home), folder(f"{home}/bin"), folder(f"{home}/conda-meta")]
        made += [entry for entry in _members(chance, home) if chance.random() < 0.85]
    made += [link("l", chance.choice(HOMES)), link("m", f"{chance.choice(HOMES)}/bin/")]
    return made if chance.random() < 0.8 else made[:-2]


def _members(chance: Chance, home: str) -> Members:
    """A prefix's programs and records, some of another form than usual."""
    conda, python = VERSIONS[home]
    series = ".".join(python.split(".")[:2])
    python_form = _python if chance.random() < 0.8 else _odd_python
    return [
        _conda(chance, f"{home}/bin/conda", conda),
        record("conda", conda, home),
        python_form(chance, f"{home}/bin/python{series}", python),
        chance.choice((link(f"{home}/bin/python3", f"python{series}"), link(f"{home}/bin/python3", "python"))),
        link(f"{home}/bin/python", f"python{series}"),
        record("python", python, home),
    ]


def _conda(chance: Chance, path: str, version: str) -> Entry:
    said = f"conda {version}"
    if chance.random() < 0.6:
        return program(path, programs.script(said))
    if chance.random() < 0.5:
        return program(path, programs.script(said, chance.choice(FIRST)))
    return program(path, programs.elf(f"{said}\n", starter=chance.choice((None, *LOADERS))))


def _python(chance: Chance, path: str, version: str) -> Entry:
    starter = chance.choice((None, None, LOADERS[0], *LOADERS))
    return program(path, programs.python(version, starter=starter))


def _odd_python(chance: Chance, path: str, version: str) -> Entry:
    return program(path, programs.script(f"Python {version}", chance.choice(FIRST)))


def _layer(chance: Chance) -> Members:
    """A few changes, each path once but for some."""
    found: dict[str, Entry] = {}
    twice: Members = []
    for _ in range(chance.randint(1, 6)):
        for entry in chance.choices(_CHANGES, _WEIGHTS)[0](chance):
            if entry.path not in found:
                found[entry.path] = entry
            elif chance.random() < RARE:
                twice.append(entry)
    return [*found.values(), *twice]


def _names(home: str) -> tuple[str, ...]:
    conda, python = VERSIONS[home]
    series = ".".join(python.split(".")[:2])
    meta = (f"conda-meta/conda-{conda}-h0_0.json", f"conda-meta/python-{python}-h0_0.json")
    return ("bin/conda", "bin/python", "bin/python3", f"bin/python{series}", *meta)


def _gone(chance: Chance) -> Members:
    home = chance.choice(HOMES)
    return [whiteout(f"{home}/{chance.choice(_names(home))}")]


def _gone_elsewhere(chance: Chance) -> Members:
    paths = ("lib/ld.so", "w", "w/conda", "w/python", "l", "m", "opt/a/conda-meta", "opt/b/bin", "bin/env", "opt/c")
    return [whiteout(chance.choice(paths))]


def _emptied(chance: Chance) -> Members:
    home = chance.choice(HOMES)
    return [opaque(f"{home}/{chance.choice(('bin', 'conda-meta'))}")]


def _again(chance: Chance) -> Members:
    """One or two members of a prefix, with a mode and an owner."""
    home = chance.choice(HOMES)
    made = chance.sample(_members(chance, home), chance.randint(1, 2))
    return [_moded(chance, entry) for entry in made]


def _moded(chance: Chance, entry: Entry) -> Entry:
    if entry.kind != "0" or "/bin/" not in entry.path or chance.random() < 0.5:
        return entry
    return owned(entry.but(mode=chance.choice(MODES)), chance.choice((0, 0, 1000)), chance.choice((0, 50, 100)))


def _crossing(chance: Chance) -> Members:
    """A link of a program into another prefix, or from a folder that is none."""
    home, other = chance.choice(HOMES), chance.choice(HOMES)
    name = chance.choice(("conda", "python", "python3"))
    place = chance.choice((f"{home}/bin", "w", "opt/c/bin", "usr/bin", f"{home}/condabin"))
    target = chance.choice((f"/{other}/bin/{name}", f"/l/bin/{name}", f"/m/{name}", f"/{other}/bin/conda"))
    if place == f"{home}/bin" and name == "conda" and target.endswith("python"):
        return []
    return [link(f"{place}/{name}", target)]


def _directory_link(chance: Chance) -> Members:
    home, other = chance.choice(HOMES), chance.choice(HOMES)
    names = ("l", "m", "w", "opt/c", "opt/c/bin", "opt/d")
    targets = (
        f"/{home}",
        f"/{home}/bin",
        f"{other}/bin",
        "opt/a/../b/bin",
        "w",
        "/opt/none",
        ".",
        f"/{home}/bin/conda/",
    )
    return [link(chance.choice(names), chance.choice(targets))]


def _twin(chance: Chance) -> Members:
    """Another name of a program in the same directory or in one that is no prefix, with a mode of its own."""
    home = chance.choice(HOMES)
    conda = _conda(chance, f"{home}/bin/conda", VERSIONS[home][0])
    made = hard_link(chance.choice((f"{home}/bin/c", "w/conda")), conda.path).but(mode=chance.choice(MODES))
    return [conda, made]


def _stray(chance: Chance) -> Members:
    """A Python or a conda that lies in no prefix."""
    version = chance.choice(("3.6.5", "3.7.1", "3.5.6"))
    name = chance.choice(("python", "python3", f"python{version[:3]}"))
    place = chance.choice(("w", "usr/bin", "opt/c/bin"))
    if chance.random() < 0.3:
        return [_conda(chance, f"{place}/conda", "4.4.0")]
    return [chance.choice((_python, _python, _odd_python))(chance, f"{place}/{name}", version)]


def _starters(chance: Chance) -> Members:
    """What interprets scripts or loads programs comes, in some form."""
    body = chance.choice((programs.loader(), b"text\n", programs.script("x"), b"\x7fELF"))
    shell = chance.choice((link("w/sh", "/bin/sh"), program("w/sh", "text\n"), file("w/sh", "text\n")))
    return [chance.choice((program("lib/ld.so", body), program("opt/b/lib/ld.so.2", body), shell))]


def _directory(chance: Chance) -> Members:
    path = chance.choice(("opt", "w", "lib", *HOMES, *(f"{home}/bin" for home in HOMES)))
    made = folder(path).but(mode=chance.choice((0o755, 0o755, 0o711, 0o700, 0o750)))
    return [owned(made, chance.choice((0, 0, 1000)), chance.choice((0, 50, 100)))]


_CHANGES: tuple[Callable[[Chance], Members], ...] = (
    *(_gone, _gone_elsewhere, _emptied, _again, _crossing, _directory_link, _twin, _stray, _starters, _directory),
)
_WEIGHTS = (16, 5, 4, 22, 16, 8, 5, 10, 8, 6)
