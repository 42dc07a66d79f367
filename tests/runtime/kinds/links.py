"""Symbolic links as the kernel follows them (I4): slashes and dots at the end, chains, loops, lengths."""

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
    owned,
    release,
)
from tests.runtime.kinds.case import Case, cleared, judged, refused

DEBIAN = release("9", "debian")
FRONT = f"/first:{PATH}"


def program_link(target: str, *entries: Entry) -> Image:
    """The first directory of PATH has a conda that is a link into the prefix that passes; the other one is next."""
    made = [folder("first"), link("first/conda", target), *entries]
    return image(good(), evil(), made, path=f"/first:/opt/evil/bin:/opt/good/bin:{SYSTEM_PATH}")


def python_link(target: str) -> Image:
    """The Python of the good prefix, by another link."""
    made = [entry for entry in good() if entry.path not in {"opt/good/bin/python", "opt/good/bin/python3"}]
    return image([*made, link("opt/good/bin/python", target)], evil())


def release_link(target: str, *entries: Entry) -> Image:
    """os-release by another link; what stands in usr/lib is another system's."""
    return image(
        good(), [file("opt/r", release()), link("etc/os-release", target), file("usr/lib/os-release", DEBIAN), *entries]
    )


def directory_link(target: str, *entries: Entry) -> Image:
    """The first directory of PATH is a link."""
    return image(good(), evil(), [link("first", target), *entries], path=FRONT)


def chain(count: int) -> Image:
    """The first directory of PATH is reached by so many links."""
    made = [link(f"l{n}", f"l{n + 1}") for n in range(1, count)] + [link(f"l{count}", "opt/evil/bin")]
    return image(good(), evil(), made, path=f"/l1:{PATH}")


def file_chain(count: int) -> Image:
    """os-release is reached by so many links."""
    made = [link(f"l{n}", f"l{n + 1}") for n in range(1, count)] + [link(f"l{count}", "opt/r")]
    return image(good(), [file("opt/r", DEBIAN), link("etc/os-release", "/l1"), *made])


TARGETS: tuple[Case, ...] = tuple(
    judged(f"program is a link to a file and {end!r}", lambda end=end: program_link(f"/opt/good/bin/conda{end}"))  # type: ignore[misc]
    for end in ("", "/", "/.", "//", "/./", "/..", "/../conda", "/x", "/./.")
)
RELEASES: tuple[Case, ...] = tuple(
    judged(f"os-release is a link to {target!r}", lambda target=target: release_link(target))  # type: ignore[misc]
    for target in (
        *(
            "/opt/r",
            "../opt/r",
            "/opt/r/",
            "/opt/r/.",
            "../../../opt/r",
            "/opt/./r",
            "/opt//r",
            "/opt/none/../r",
            "/opt",
        ),
        *("/opt/", "", ".", "..", "/", "os-release", "./../etc/os-release", "/opt/r\n", " /opt/r"),
    )
)
CHAINS: tuple[Case, ...] = tuple(
    judged(f"{count} links to a directory of PATH", lambda count=count: chain(count))  # type: ignore[misc]
    for count in (1, 38, 39, 40, 41, 45)
) + tuple(
    judged(f"{count} links behind os-release", lambda count=count: file_chain(count))  # type: ignore[misc]
    for count in (37, 38, 39, 40, 41)
)
DIRECTORIES: tuple[Case, ...] = (
    refused("directory of PATH is a link", lambda: directory_link("opt/evil/bin")),
    refused("with a slash at its end", lambda: directory_link("opt/evil/bin/")),
    refused("with a dot at its end", lambda: directory_link("/opt/evil/bin/.")),
    refused("and up again", lambda: directory_link("opt/evil/bin/../bin")),
    refused("out of the root", lambda: directory_link("../../opt/evil/bin")),
    cleared("to a file", lambda: directory_link("opt/evil/bin/conda")),
    cleared("to nothing", lambda: directory_link("opt/none")),
    cleared("to itself", lambda: directory_link("first")),
    judged("to a parent that is a file", lambda: directory_link("opt/evil/bin/conda/../../bin")),
    judged("links that lead to one another", lambda: directory_link("second", link("second", "first"))),
    judged(
        "through a link to a directory with dots",
        lambda: directory_link("a/../x", link("a", "opt/evil/bin"), link("opt/evil/x", "bin")),
    ),
    judged("of 4,095 bytes", lambda: directory_link(("./" * 2041) + "opt/evil/bin")),
    judged(
        "of bytes that are no UTF-8",
        lambda: image(good(), evil(), [link("first", b"opt/\xff"), link(b"opt/\xff", "evil/bin")], path=FRONT),
    ),
)
STICKY: tuple[Case, ...] = tuple(
    judged(f"{what} in a sticky directory, of {owner}, for {user}", lambda w=what, o=owner, u=user: sticky(w, o, u))  # type: ignore[misc]
    for what in ("directory's link", "program's link", "program")
    for owner, user in ((1000, "root"), (0, "worker"), (1000, "worker"), (1001, "worker"))
)
PYTHONS: tuple[Case, ...] = tuple(
    judged(f"python is a link to python3.6 and {end!r}", lambda end=end: python_link(f"python3.6{end}"))  # type: ignore[misc]
    for end in ("", "/", "/.", "/../python3.6")
)


def sticky(what: str, owner: int, user: str) -> Image:
    """The way to the prefix that does not pass leads through /tmp, which everybody may write to."""
    made = {
        "directory's link": [link("tmp/way", "/opt/evil/bin")],
        "program's link": [folder("tmp/way"), link("tmp/way/conda", "/opt/evil/bin/conda")],
        "program": [
            folder("tmp/way"),
            program("tmp/way/conda", programs.conda("4.3.0")),
            link("tmp/conda-meta", "/opt/evil/conda-meta"),
        ],
    }[what]
    owners = [owned(entry, owner) for entry in made]
    return image(good(), [*evil(), folder("tmp").but(mode=0o1777), *owners], path=f"/tmp/way:{PATH}", User=user)  # noqa: S108


CASES: tuple[Case, ...] = (
    *TARGETS,
    *RELEASES,
    *CHAINS,
    *DIRECTORIES,
    *STICKY,
    *PYTHONS,
    judged(
        "link over a whiteout",
        lambda: image(good(), evil(), [whiteout("opt/good/bin"), link("opt/good/bin", "../evil/bin")]),
    ),
    judged(
        "link that is replaced by a directory",
        lambda: image(good(), evil(), [link("first", "opt/evil/bin")], [folder("first")], path=FRONT),
    ),
    judged(
        "link that members lie below",
        lambda: image(good(), evil(), [link("first", "opt/evil/bin")], [file("first/x")], path=FRONT),
    ),
    judged(
        "link to a link's directory",
        lambda: image(good(), evil(), [link("a", "opt/evil"), link("first", "a/bin")], path=FRONT),
    ),
)
