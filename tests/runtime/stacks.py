"""Random images by seed: layers in any order over a few names, so that members meet, hide, replace and link each other.

A prefix comes and goes as a whole, and its conda is what its record says: what is random is which of them a shell in
the container reaches, and as whom.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.corpus.tarballs import (
    Entry,
    file,
    folder,
    hard_link,
    link,
    opaque,
    whiteout,
)
from tests.runtime.images import (
    SYSTEM_PATH,
    Image,
    attributed,
    image,
    owned,
    prefix,
    release,
)

VERSIONS = {
    "opt/a": ("4.5.12", "3.6.5"),
    "opt/b": ("4.3.0", "3.7.1"),
    "opt/c": ("4.6.14", "3.5.6"),
    "opt/x.wh..wh.y": ("4.8.3", "3.8.2"),
}
HOMES = tuple(VERSIONS)
PLACES = (
    *("/opt/a/bin", "/opt/b/bin", "/opt/c/bin", "/opt/x.wh..wh.y/bin", "/w/bin", "/w", "/l1", "/l2/bin", "/l3"),
    *("opt/b/bin", "bin", "./w/bin", "", "../opt/c/bin", "/opt/a/../b/bin", "//opt///c/bin//", "/none/bin"),
)
USERS = ("", "", "", "", "0", "root", "1000", "worker", "lonely", "1001:100", "worker:staff", "77")
WORKING = ("", "", "", "/", "/opt", "/w", "/opt/a", "/l2", "/none")
DIRECTORIES = ("opt", "w", "w/bin", *HOMES, *(f"{home}/bin" for home in HOMES))
RARE = 0.04
Chance = random.Random


@dataclass(frozen=True)
class Stack:
    """One random image.

    Attributes:
        seed: what it was made of.
        image: the image.
    """

    seed: int
    image: Image


def stack(seed: int) -> Stack:
    """The image of a seed; the same on every machine."""
    chance = random.Random(seed)  # noqa: S311 - a test's own
    layers = [_prefixes(chance)]
    layers += [_layer(chance) for _ in range(chance.randint(1, 4))]
    user, working = chance.choice(USERS), chance.choice(WORKING)
    return Stack(seed, image(*layers, User=user, WorkingDir=working, Env=_environment(chance)))


def _environment(chance: Chance) -> list[str]:
    found = [f"PATH={_path(chance)}"]
    if chance.random() < RARE:
        found.append(f"PATH={_path(chance)}")
    return found if chance.random() > RARE / 4 else ["PATH"]


def _path(chance: Chance) -> str:
    return ":".join([*chance.sample(PLACES, chance.randint(2, 5)), SYSTEM_PATH])


def _prefixes(chance: Chance) -> list[Entry]:
    """Two or three prefixes, and a folder of links into them."""
    homes = chance.sample(HOMES, chance.randint(2, 3))
    made = [entry for home in homes for entry in prefix(home, *VERSIONS[home])]
    return [*made, folder("w"), folder("w/bin"), *_links(chance, homes)]


def _links(chance: Chance, homes: Sequence[str]) -> list[Entry]:
    home, other = chance.choice(homes), chance.choice(homes)
    made = [link("w/bin/conda", f"/{home}/bin/conda"), link("w/bin/python", f"../../{other}/bin/python")]
    made += [link("l1", f"{home}/bin"), link("l2", f"/{other}"), link("l3", "w/bin")]
    return [entry for entry in made if chance.random() < 0.6]


def _layer(chance: Chance) -> list[Entry]:
    """A few changes, each path once but for some; some whiteouts after what they name."""
    found: dict[str, list[Entry]] = {}
    for _ in range(chance.randint(1, 5)):
        made = chance.choices(_CHANGES, _WEIGHTS)[0](chance)
        for item in made:
            name = item[-1].path.strip("/")
            if name not in found or chance.random() < RARE:
                found[name] = [*found.get(name, []), *item]
    members = list(found.values())
    if chance.random() < 0.3:
        chance.shuffle(members)
    return [entry for item in members for entry in item]


Members = list[list[Entry]]


def _gone(chance: Chance) -> Members:
    paths = (*HOMES, *(f"{home}/bin" for home in HOMES), "w", "w/bin", "l1", "l2", "etc/os-release", "w/bin/conda")
    return [[whiteout(chance.choice(paths))]]


def _gone_program(chance: Chance) -> Members:
    return [[whiteout(f"{chance.choice(HOMES)}/bin/{chance.choice(('conda', 'python', 'python3'))}")]]


def _emptied(chance: Chance) -> Members:
    return [[opaque(chance.choice(("w", "w/bin", "w/none", *HOMES)))]]


def _again(chance: Chance) -> Members:
    """A prefix as a whole, with or without what its directories are; before it perhaps a whiteout or a marker."""
    home = chance.choice(HOMES)
    made = prefix(home, *VERSIONS[home])
    if chance.random() < 0.4:
        made = [entry for entry in made if entry.kind != "5"]
    front = chance.choice(([], [], [whiteout(home)], [opaque(home)]))
    return [[entry] for entry in (*front, *made)]


def _directory(chance: Chance) -> Members:
    mode = chance.choice((0o755, 0o755, 0o700, 0o711, 0o750, 0o1777, 0o070))
    made = folder(chance.choice(DIRECTORIES)).but(mode=mode)
    return [[owned(made, chance.choice((0, 1000, 1001)), chance.choice((0, 50, 100)))]]


def _link(chance: Chance) -> Members:
    home = chance.choice(HOMES)
    names = ("w/bin/conda", "w/bin/python", "w/bin", "w", "l1", "l2", "l3", "opt/a", "opt/a/bin", "w/bin/python3")
    targets = (
        *(f"/{home}/bin/conda", f"/{home}/bin/python", f"/{home}/bin", f"/{home}", f"../{home}/bin", f"{home}/bin"),
        *(
            f"/{home}/bin/conda/",
            f"/{home}/bin/python/.",
            "/w",
            "l1",
            ".",
            "..",
            "/proc/self/root/opt/b/bin",
            "/w/bin/.",
        ),
    )
    made = link(chance.choice(names), chance.choice(targets))
    return [[owned(made, chance.choice((0, 0, 0, 1000)))]]


def _hard_link(chance: Chance) -> Members:
    """A program, and another name of it with a mode of its own."""
    home = chance.choice(HOMES)
    conda = next(entry for entry in prefix(home, *VERSIONS[home]) if entry.path.endswith("/bin/conda"))
    mode = chance.choice((0o755, 0o755, 0o644, 0o700, 0o711, 0o555))
    other = hard_link(chance.choice(("w/bin/conda", "w/c", f"{home}/bin/c")), conda.path).but(mode=mode)
    return [[conda], [other]] if chance.random() < 0.85 else [[other]]


def _mode(chance: Chance) -> Members:
    """A program with another mode or owner."""
    home = chance.choice(HOMES)
    programs = [entry for entry in prefix(home, *VERSIONS[home]) if "/bin/" in entry.path and entry.kind == "0"]
    made = chance.choice(programs).but(mode=chance.choice((0o755, 0o644, 0o700, 0o750, 0o711, 0o4755)))
    return [[owned(made, chance.choice((0, 1000)), chance.choice((0, 50, 100)))]]


def _system(chance: Chance) -> Members:
    version = chance.choice(("14.04", "16.04", "18.04", "20.04"))
    name = chance.choice(("etc/os-release", "usr/lib/os-release", "etc/r"))
    made = file(name, release(version), chance.choice((0o644, 0o644, 0o600, 0o640)))
    targets = ("r", "../usr/lib/os-release", "/etc/r/", "none", "/usr/lib/./os-release", "..")
    return [[made]] if chance.random() < 0.6 else [[link("etc/os-release", chance.choice(targets))]]


def _odd(chance: Chance) -> Members:
    """What is rare: attributes, devices, names that look like markers, odd spellings."""
    home = chance.choice(HOMES)
    return chance.choice(
        (
            [attributed(folder(home), SCHILY__xattr__trusted__overlay__opaque="y")],
            [attributed(folder(home), SCHILY__xattr__user__note="y")],
            [[Entry(f"{home}/bin/conda", kind="3")]],
            [[file("opt/.wh..wh.x", "")]],
            [[file(f"./opt//.//{home.partition('/')[2]}/bin/x", "")]],
            [[file("w/.wh.bin/x", "")]],
            [[folder(home)], [whiteout(home)]],
            [[file("w", "")]],
        )
    )


_CHANGES: tuple[Callable[[Chance], Members], ...] = (
    *(_gone, _gone_program, _emptied, _again, _directory, _link, _hard_link, _mode, _system, _odd),
)
_WEIGHTS = (10, 8, 8, 14, 12, 20, 8, 10, 12, 5)
