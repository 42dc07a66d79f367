"""Hard links (I5): an entry's own mode and owner go to the inode that it shares, also one of an older layer."""

from typing import Any

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
from tests.runtime.images import (
    Image,
    evil,
    good,
    image,
    owned,
    release,
)
from tests.runtime.kinds.case import Case, cleared, judged, refused

CONDA = "opt/good/bin/conda"


def linked(mode: int, target: str = CONDA, name: str = "opt/good/x", **config: Any) -> Image:
    """A hard link with a mode of its own in the layer of the good prefix; the other one is next on PATH."""
    return image([*good(), hard_link(name, target).but(mode=mode)], evil(), **config)


def later(*entries: Entry, **config: Any) -> Image:
    """Hard links in a newer layer than that of the good prefix."""
    return image(evil(), good(), list(entries), **config)


def without_x(*entries: Entry) -> Image:
    """The good prefix's conda has no execute bit; what else is in its layer may give it one."""
    made = [entry.but(mode=0o644) if entry.path == CONDA else entry for entry in good()]
    return image(evil(), [*made, *entries])


MODES: tuple[Case, ...] = tuple(
    judged(
        f"link of mode {mode:o} in the same layer{f' for {user}' if user else ''}",
        lambda m=mode, u=user: linked(m, User=u),  # type: ignore[misc]
    )
    for mode in (0o644, 0o755, 0o000, 0o100, 0o700, 0o4755, 0o111, 0o7777)
    for user in ("", "worker")
)
CASES: tuple[Case, ...] = (
    *MODES,
    refused("link without x takes the program away", lambda: linked(0o644)),
    cleared("link with x", lambda: linked(0o755)),
    judged("link gives x", lambda: without_x(hard_link("opt/good/x", CONDA).but(mode=0o755))),
    judged(
        "link to a link gives x",
        lambda: without_x(hard_link("opt/good/x", CONDA).but(mode=0o600), hard_link("y", "opt/good/x").but(mode=0o755)),
    ),
    judged(
        "the last link counts",
        lambda: without_x(hard_link("x", CONDA).but(mode=0o755), hard_link("y", CONDA).but(mode=0o644)),
    ),
    judged("link before its target", lambda: image(evil(), [hard_link("x", CONDA).but(mode=0o755), *good()])),
    judged(
        "program replaced after the link",
        lambda: image(
            evil(), [*good(), hard_link("x", CONDA).but(mode=0o644)], [program(CONDA, programs.conda("4.5.12"))]
        ),
    ),
    judged("link in a newer layer, without x", lambda: later(hard_link("x", CONDA).but(mode=0o644))),
    judged(
        "link in a newer layer, with x",
        lambda: image(
            evil(),
            [e.but(mode=0o644) if e.path == CONDA else e for e in good()],
            [hard_link("x", CONDA).but(mode=0o755)],
        ),
    ),
    judged(
        "link in a newer layer that is the program",
        lambda: image(
            evil(),
            good(),
            [hard_link("first/conda", "opt/evil/bin/conda").but(mode=0o644)],
            path="/first:/opt/good/bin",
        ),
    ),
    judged("link in a newer layer onto itself", lambda: later(hard_link(CONDA, CONDA).but(mode=0o644))),
    judged("link onto itself in the same layer", lambda: linked(0o644, name=CONDA)),
    judged("link to what the layer deletes", lambda: later(whiteout(CONDA), hard_link("x", CONDA).but(mode=0o755))),
    judged(
        "link to what the layer deletes afterwards",
        lambda: later(hard_link("x", CONDA).but(mode=0o755), whiteout(CONDA)),
    ),
    judged(
        "link to what an opaque marker hides",
        lambda: later(opaque("opt/good/bin"), hard_link("x", CONDA).but(mode=0o755)),
    ),
    judged(
        "two layers, two links",
        lambda: image(evil(), good(), [hard_link("x", CONDA).but(mode=0o644)], [hard_link("y", "x").but(mode=0o755)]),
    ),
    judged(
        "link to a symbolic link",
        lambda: linked(0o644, "opt/good/bin/python", "first/python", path="/first:/opt/good/bin:/opt/evil/bin"),
    ),
    judged(
        "link to the program behind a symbolic link",
        lambda: image(evil(), [*good(), link("a", "opt/good"), hard_link("x", "a/bin/conda").but(mode=0o644)]),
    ),
    judged(
        "link through a symbolic link of an older layer",
        lambda: image(evil(), good(), [link("a", "opt/good")], [hard_link("x", "a/bin/conda").but(mode=0o644)]),
    ),
    judged("link to a directory", lambda: linked(0o755, "opt/good/bin", "x")),
    judged("link to nothing", lambda: linked(0o755, "opt/none", "x")),
    judged("link with an absolute target", lambda: linked(0o644, f"/{CONDA}")),
    judged("link with dots in its target", lambda: linked(0o644, f"./opt/../{CONDA}")),
    judged("link out of the root", lambda: linked(0o644, f"../../{CONDA}")),
    judged("link with a body", lambda: image(evil(), [*good(), hard_link("x", CONDA).but(mode=0o644, body=b"x" * 20)])),
    judged(
        "link of another owner",
        lambda: image(
            [e.but(mode=0o700) if e.path == CONDA else e for e in good()]
            + [owned(hard_link("x", CONDA).but(mode=0o700), 1000, 100)],
            evil(),
            User="worker",
        ),
    ),
    judged(
        "link of another owner, older layer",
        lambda: image(
            [e.but(mode=0o700) if e.path == CONDA else e for e in good()],
            evil(),
            [owned(hard_link("x", CONDA).but(mode=0o700), 1000, 100)],
            User="worker",
        ),
    ),
    judged("Python's mode by a link", lambda: linked(0o644, "opt/good/bin/python3.6")),
    judged(
        "os-release's mode by a link",
        lambda: image(
            good(),
            [file("usr/lib/os-release", release("9", "debian")), hard_link("x", "usr/lib/os-release").but(mode=0o600)],
            User="worker",
        ),
    ),
    judged("shell's mode by a link", lambda: image(good(), evil(), [hard_link("x", "bin/sh").but(mode=0o755)])),
    judged(
        "mode with bits of a file's type",
        lambda: image(evil(), [e.but(mode=0o100755) if e.path == CONDA else e for e in good()]),
    ),
    judged(
        "mode with too many bits",
        lambda: image(evil(), [e.but(mode=0o177644) if e.path == CONDA else e for e in good()]),
    ),
    judged(
        "directory's mode named again",
        lambda: image(good(), evil(), [folder("opt/good/bin").but(mode=0o700)], User="worker"),
    ),
    judged(
        "directory's mode without x for root", lambda: image(good(), evil(), [folder("opt/good/bin").but(mode=0o000)])
    ),
    judged(
        "symbolic link's mode",
        lambda: image(good(), evil(), [link("opt/good/bin/python", "python3.6").but(mode=0o000)], User="worker"),
    ),
)
