"""Whiteouts and opaque markers in any order, members given twice (I7), markers alone (I13)."""

from collections.abc import Sequence

from tests.corpus.tarballs import (
    Entry,
    device,
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
    PATH,
    Image,
    evil,
    good,
    image,
    owned,
    prefix,
    release,
)
from tests.runtime.kinds.case import Case, cleared, judged, refused, unclear

DEBIAN = release("9", "debian")
BIN, META = "opt/good/bin", "opt/good/conda-meta"
OLD = prefix("opt/good", "4.3.0", "3.7.1")
NEW = good()
OTHER = program("opt/good/bin/other", "x")


def over(*entries: Entry | Sequence[Entry], lower: Sequence[Entry] = NEW) -> Image:
    """A layer over the good prefix (or another), the one that does not pass being next on PATH."""
    flat = [item for entry in entries for item in ([entry] if isinstance(entry, Entry) else entry)]
    return image(evil(), list(lower), flat)


def orders(name: str, marker: Entry, path: str) -> tuple[Case, ...]:
    """A marker before, between and after what a layer has in its place; what is below is another prefix as a whole."""
    below = OLD if path == "opt/good" else NEW
    members = [entry for entry in NEW if f"{entry.path}/".startswith(f"{path}/")]
    return (
        judged(f"{name} before the new one, an old one below", lambda: over(marker, members, lower=below)),
        judged(f"{name} after the new one, an old one below", lambda: over(members, marker, lower=below)),
        judged(
            f"{name} among the new one, an old one below", lambda: over(members[:2], marker, members[2:], lower=below)
        ),
        judged(f"{name} before the same again", lambda: over(marker, members)),
        judged(f"{name} after the same again", lambda: over(members, marker)),
        judged(f"{name} beside a bare directory", lambda: over(marker, folder(path))),
        judged(f"{name} after a bare directory", lambda: over(folder(path), marker)),
        judged(f"{name} beside another member", lambda: over(marker, file(f"{path}/other"))),
        judged(f"{name} after another member", lambda: over(file(f"{path}/other"), marker)),
        judged(f"{name} alone", lambda: over(marker)),
    )


TWICE: tuple[Case, ...] = (
    judged(
        "directory deleted, deleted below, and brought",
        lambda: image(
            prefix("opt/evil", "4.5.12", "3.6.5"),
            evil(),
            [whiteout("opt/evil"), whiteout("opt/evil/bin"), folder("opt/evil")],
        ),
    ),
    judged(
        "file twice", lambda: image(good(), [file("usr/lib/os-release", DEBIAN), file("usr/lib/os-release", release())])
    ),
    judged(
        "file twice, the last does not pass",
        lambda: image(good(), [file("usr/lib/os-release", release()), file("usr/lib/os-release", DEBIAN)]),
    ),
    judged("file and then a directory", lambda: over(file("opt/good"), folder("opt/good"))),
    judged("file and then a directory of programs", lambda: over(file(BIN), folder(BIN), OTHER)),
    judged("link and then a directory", lambda: over(link("opt/good", "evil"), folder("opt/good"))),
    judged("directory and then a file", lambda: over(folder(BIN), file(BIN))),
    judged("directory and then a link", lambda: over(folder(BIN), link(BIN, "../evil/bin"))),
    judged("directory with members and then a file", lambda: over(folder(BIN), OTHER, file(BIN))),
    judged("members and then a file in place of their directory", lambda: over(OTHER, file(BIN))),
    unclear("directory twice", lambda: over(folder(BIN), folder(BIN))),
    judged("directory twice, other modes", lambda: over(folder(BIN).but(mode=0o700), folder(BIN).but(mode=0o755))),
    judged(
        "directory twice, other modes, for a user",
        lambda: image(evil(), good(), [folder(BIN).but(mode=0o755), folder(BIN).but(mode=0o700)], User="worker"),
    ),
    judged(
        "file and then a link of its name",
        lambda: image(
            good(), [file("etc/os-release", release()), link("etc/os-release", "/opt/r"), file("opt/r", DEBIAN)]
        ),
    ),
    judged("link twice", lambda: over(link("opt/good", "a"), link("opt/good", "evil"))),
    judged(
        "the same spelled otherwise",
        lambda: image(good(), [file("usr/lib/os-release", release()), file("./usr//lib/os-release", DEBIAN)]),
    ),
    judged(
        "hard link twice",
        lambda: over(file("opt/f", DEBIAN), hard_link("etc/os-release", "opt/f"), hard_link("etc/os-release", "opt/f")),
    ),
    judged("file, then below it", lambda: over(file(BIN), OTHER)),
    judged("whiteout twice", lambda: over(whiteout(BIN), whiteout(BIN))),
    judged(
        "file, whiteout, file",
        lambda: image(
            good(), [file("etc/os-release", DEBIAN), whiteout("etc/os-release"), file("etc/os-release", release())]
        ),
    ),
    judged("two layers that are one", lambda: image(good(), good(), evil())),
)
WHITEOUTS: tuple[Case, ...] = (
    judged("whiteout of opt beside a new prefix", lambda: over(whiteout("opt"), NEW, lower=OLD)),
    judged(
        "whiteout of opt beside a new prefix's programs only",
        lambda: over(whiteout("opt"), [e for e in NEW if "meta" not in e.path]),
    ),
    judged("whiteout beside directory, records left from below", lambda: over(whiteout(META), folder(META), lower=OLD)),
    judged(
        "whiteout beside directory, stacker's rm -rf and mkdir", lambda: over(whiteout("opt/good"), folder("opt/good"))
    ),
    judged(
        "whiteout of a file beside it",
        lambda: image(good(), [whiteout("usr/lib/os-release"), file("usr/lib/os-release", DEBIAN)]),
    ),
    judged(
        "whiteout of a file after it",
        lambda: image(good(), [file("usr/lib/os-release", DEBIAN), whiteout("usr/lib/os-release")]),
    ),
    judged(
        "whiteout of a link beside it",
        lambda: image(good(), [whiteout("etc/os-release"), link("etc/os-release", "/opt/r"), file("opt/r", DEBIAN)]),
    ),
    judged("whiteout of what is not there", lambda: over(whiteout("opt/none"), whiteout("none/deeper"))),
    judged("whiteout below a file", lambda: over(whiteout("opt/good/bin/conda/x"))),
    judged("whiteout below a link", lambda: image(evil(), good(), [link("way", "opt/good")], [whiteout("way/bin")])),
    judged("whiteout below a link of its own layer", lambda: over(link("way", "opt/good"), whiteout("way/bin"))),
    judged(
        "whiteout below a link, programs by the link",
        lambda: image(evil(), good(), [link("way", "opt/good")], [program("way/bin/other", "x")]),
    ),
    judged(
        "whiteout of a link",
        lambda: image(evil(), good(), [link("way", "opt/evil/bin")], [whiteout("way")], path=f"/way:{PATH}"),
    ),
    judged("whiteout and then a link in its place", lambda: over(whiteout("opt/good"), link("opt/good", "evil"))),
    judged("whiteout after a link in its place", lambda: over(link("opt/good", "evil"), whiteout("opt/good"))),
    judged("whiteout and a file in its place", lambda: over(whiteout("opt/good"), file("opt/good", "x"))),
    judged("whiteout with a body and a mode", lambda: over(file("opt/.wh.good", "text", 0o755))),
    judged("whiteout that is a directory", lambda: over(folder("opt/.wh.good"))),
    judged("whiteout that is a directory with members", lambda: over(folder("opt/.wh.good"), file("opt/.wh.good/x"))),
    judged("whiteout that is a link", lambda: over(link("opt/.wh.good", "x"))),
    judged("whiteout that is a hard link", lambda: over(file("x"), hard_link("opt/.wh.good", "x"))),
    judged("whiteout that is a device", lambda: over(device("opt/.wh.good"))),
    judged("whiteout of another owner", lambda: over(owned(whiteout("opt/good"), 1000))),
    judged(
        "whiteout, new layer, whiteout", lambda: image(evil(), good(), [whiteout("opt/good")], good(), [whiteout(META)])
    ),
    judged(
        "whiteout, and the next layer brings one member back",
        lambda: image(evil(), good(), [whiteout("opt/good")], [folder("opt/good"), OTHER]),
    ),
    judged(
        "whiteout, and the next layer brings a member without its directory",
        lambda: image(evil(), good(), [whiteout("opt/good")], [OTHER]),
    ),
    judged("whiteout in the lowest layer", lambda: image([whiteout("opt/good"), *good()], evil())),
    judged("whiteout in the lowest layer, after", lambda: image([*good(), whiteout("opt/good")], evil())),
    judged(
        "whiteout of a program, another link to it stays",
        lambda: image(
            evil(), [*good(), hard_link("opt/keep", f"{BIN}/conda").but(mode=0o755)], [whiteout(f"{BIN}/conda")]
        ),
    ),
    refused("whiteout of the record", lambda: over(whiteout(f"{META}/conda-4.5.12-h0_0.json"))),
)
OPAQUE: tuple[Case, ...] = (
    judged("opaque root", lambda: over(opaque(""))),
    unclear(
        "opaque root over the other prefix",
        lambda: image(evil(), [opaque(""), *good()], path="/opt/evil/bin:/opt/good/bin:/bin"),
    ),
    unclear(
        "whiteout at the root of a name that begins as one",
        lambda: image([*evil(), *good(".wh.x")], [file(".wh..wh.x")], path="/.wh.x/bin:/opt/evil/bin:/bin"),
    ),
    judged("opaque root after a member", lambda: over(file("x"), opaque(""))),
    judged("opaque marker with dots", lambda: over(file("./opt/good/./.wh..wh..opq"))),
    judged("opaque marker that is a directory", lambda: over(folder("opt/good/.wh..wh..opq"))),
    judged("opaque marker that is a link", lambda: over(link("opt/good/.wh..wh..opq", "x"))),
    judged("opaque marker that is a hard link", lambda: over(file("x"), hard_link("opt/good/.wh..wh..opq", "x"))),
    judged("opaque marker that is a device", lambda: over(device("opt/good/.wh..wh..opq"))),
    judged(
        "opaque marker in a link's directory",
        lambda: image(evil(), good(), [link("way", "opt/good")], [opaque("way/bin")]),
    ),
    judged(
        "opaque marker in a directory that a file was",
        lambda: image(evil(), [file("opt/good", "x")], [opaque("opt/good"), *good()]),
    ),
    judged("opaque marker beside a whiteout", lambda: over(whiteout(BIN), opaque("opt/good"), NEW, lower=OLD)),
    judged("opaque marker and a whiteout in it", lambda: over(opaque("opt/good"), whiteout(BIN))),
    judged("opaque marker in a new directory", lambda: image(good(), evil(), [opaque("srv/new")])),
    judged("opaque markers at two depths", lambda: over(opaque("opt"), opaque("opt/good"), NEW, lower=OLD)),
    judged("opaque marker in the lowest layer", lambda: image([opaque("opt/good"), *good()], evil())),
    judged("opaque marker twice", lambda: over(opaque(BIN), opaque(BIN), OTHER)),
    judged(
        "hard link into an opaque directory", lambda: over(opaque(BIN), hard_link(f"{BIN}/conda", "opt/evil/bin/conda"))
    ),
)
ALONE: tuple[Case, ...] = (
    cleared("marker alone makes its directory", lambda: image(good(), [opaque("first")], path=f"/first:{PATH}")),
    judged(
        "whiteout alone makes its directory",
        lambda: image(good(), [whiteout("first/x")], path=f"/first/../opt/good/bin:{PATH}"),
    ),
    judged(
        "marker makes a directory that PATH goes through",
        lambda: image(good(), evil(), [opaque("first")], path=f"/first/../opt/evil/bin:{PATH}"),
    ),
    judged(
        "whiteout makes a directory that PATH goes through",
        lambda: image(good(), evil(), [whiteout("first/x")], path=f"/first/../opt/evil/bin:{PATH}"),
    ),
    judged(
        "AUFS's file makes a directory that PATH goes through",
        lambda: image(good(), evil(), [file("first/.wh..wh.x")], path=f"/first/../opt/evil/bin:{PATH}"),
    ),
    judged(
        "marker in place of a link",
        lambda: image(good(), evil(), [link("first", "opt/evil/bin")], [opaque("first")], path=f"/first:{PATH}"),
    ),
    judged(
        "marker in place of a file",
        lambda: image(good(), evil(), [file("opt/good/bin/conda")], [opaque("opt/good/bin/conda")]),
    ),
    judged(
        "link that the same layer deletes",
        lambda: image(
            evil(), good(), [link("way", "opt/good")], [whiteout("way"), file("way/x")], path=f"/way/bin:{PATH}"
        ),
    ),
    judged(
        "link that the same layer deletes afterwards",
        lambda: image(
            evil(), good(), [link("way", "opt/good")], [file("way/x"), whiteout("way")], path=f"/way/bin:{PATH}"
        ),
    ),
    judged(
        "link that the same layer replaces",
        lambda: image(
            evil(),
            good(),
            [link("way", "opt/evil")],
            [folder("way"), program("way/bin/x", "y")],
            path=f"/way/bin:{PATH}",
        ),
    ),
    judged(
        "member through a link of an older layer",
        lambda: image(good(), [link("way", "usr/lib")], [file("way/os-release", DEBIAN)]),
    ),
    judged(
        "member through an absolute link of an older layer",
        lambda: image(good(), [link("way", "/usr/lib")], [file("way/os-release", DEBIAN)]),
    ),
    judged(
        "member through a link of its own layer",
        lambda: image(good(), [link("way", "usr/lib"), file("way/os-release", DEBIAN)]),
    ),
    judged(
        "program through a link of its own layer",
        lambda: over(link("way", BIN), program("way/conda", programs.conda("4.3.0")), link("way/../conda-meta/x", "y")),
    ),
)
CASES: tuple[Case, ...] = (
    *orders("whiteout of the prefix", whiteout("opt/good"), "opt/good"),
    *orders("whiteout of programs", whiteout(BIN), BIN),
    *orders("whiteout of records", whiteout(META), META),
    *orders("opaque prefix", opaque("opt/good"), "opt/good"),
    *orders("opaque programs", opaque(BIN), BIN),
    *orders("opaque records", opaque(META), META),
    *TWICE,
    *WHITEOUTS,
    *OPAQUE,
    *ALONE,
)
