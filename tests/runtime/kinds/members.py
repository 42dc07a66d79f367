"""Members of odd types, and directories that are made without being named: devices, fifos, implicit directories."""

from tests.corpus.tarballs import (
    Entry,
    device,
    file,
    folder,
    link,
    program,
)
from tests.runtime import programs
from tests.runtime.images import (
    PATH,
    Image,
    evil,
    good,
    image,
    owned,
    release,
)
from tests.runtime.kinds.case import Case, judged

BIN = "opt/good/bin"
DEBIAN = release("9", "debian")


def numbered(name: str, kind: str, major: int, minor: int) -> Entry:
    """A device of these numbers."""
    return Entry(name, kind=kind, mode=0o755, change={329: b"%07o\0" % major, 337: b"%07o\0" % minor})


def over(*entries: Entry, user: str = "") -> Image:
    """A layer over both prefixes."""
    return image(evil(), good(), list(entries), User=user)


def implicit(mode: int, path: str, user: str = "worker") -> Image:
    """A directory that its layer names with a mode; a newer layer has a member below it without naming it."""
    return image(evil(), good(), [folder(path).but(mode=mode)], [file(f"{path}/x")], User=user)


DEVICES: tuple[Case, ...] = tuple(
    judged(f"{what} in place of {path}", lambda k=kind, p=path, n=numbers: over(numbered(p, k, *n)))  # type: ignore[misc]
    for what, kind, numbers in (
        *(
            ("device 0/0", "3", (0, 0)),
            ("null device", "3", (1, 3)),
            ("block device", "4", (7, 99)),
            ("fifo", "6", (0, 0)),
        ),
        *(("block device 0/0", "4", (0, 0)), ("device 0/1", "3", (0, 1)), ("device 1/0", "3", (1, 0))),
    )
    for path in (f"{BIN}/conda", BIN, "opt/good", "etc/os-release", "opt/good/conda-meta")
)
TYPES: tuple[Case, ...] = tuple(
    judged(
        f"type flag {kind!r} in place of {path}",
        lambda k=kind, p=path: over(Entry(p, kind=k, mode=0o755, body=DEBIAN.encode())),  # type: ignore[misc]
    )
    for kind in ("\0", "7", "S", "D", "A", "Z", "V", "N", "M", "8", " ")
    for path in ("usr/lib/os-release",)
)
IMPLICIT: tuple[Case, ...] = tuple(
    judged(
        f"{path} of mode {mode:o}, then a member below it{f', for {user}' if user else ''}",
        lambda m=mode, p=path, u=user: implicit(m, p, u),  # type: ignore[misc]
    )
    for path in (BIN, "opt/good", "opt")
    for mode in (0o700, 0o000, 0o711)
    for user in ("worker", "")
)
MORE: tuple[Case, ...] = (
    judged(
        "implicit directory of an old owner",
        lambda: image(evil(), good(), [owned(folder(BIN).but(mode=0o700), 1000)], [file(f"{BIN}/x")], User="worker"),
    ),
    judged(
        "whiteout below an unreadable directory",
        lambda: image(evil(), good(), [folder(BIN).but(mode=0o700)], [file(f"{BIN}/.wh.x")], User="worker"),
    ),
    judged(
        "marker below an unreadable directory",
        lambda: image(evil(), [folder(BIN).but(mode=0o700)], [file(f"{BIN}/.wh..wh..opq")], good(), User="worker"),
    ),
    judged(
        "directory after its members",
        lambda: image(evil(), [*good()[2:], folder(BIN).but(mode=0o700), folder("opt/good")], User="worker"),
    ),
    judged("members without any directory", lambda: image(evil(), [e for e in good() if e.kind != "5"], User="worker")),
    judged(
        "unreadable directory, and a link beside it",
        lambda: image(
            evil(),
            good(),
            [folder("opt/good").but(mode=0o700), link("first", "opt/good/bin")],
            path=f"/first:{PATH}",
            User="worker",
        ),
    ),
    judged(
        "unreadable directory that its owner may enter",
        lambda: image(evil(), good(), [owned(folder("opt/good").but(mode=0o700), 1000)], User="worker"),
    ),
    judged("fifo that os-release is", lambda: over(device("usr/lib/os-release", "6"))),
    judged("directory that os-release is", lambda: over(folder("usr/lib/os-release"))),
    judged("directory that etc/os-release is", lambda: image(good(), [folder("etc/os-release")])),
    judged("empty os-release", lambda: image(good(), [file("etc/os-release", "")])),
    judged("program that is a directory", lambda: over(folder(f"{BIN}/conda"))),
    judged(
        "program without #!",
        lambda: image(
            evil(), [e.but(body=programs.nameless("conda 4.5.12")) if e.path == f"{BIN}/conda" else e for e in good()]
        ),
    ),
    judged(
        "Python without #!",
        lambda: image(
            evil(),
            [e.but(body=programs.nameless("Python 3.6.5")) if e.path.endswith("python3.6") else e for e in good()],
        ),
    ),
    judged(
        "Python without #! that is another",
        lambda: image(
            evil(),
            [e.but(body=programs.nameless("Python 3.7.1")) if e.path.endswith("python3.6") else e for e in good()],
        ),
    ),
    judged(
        "program whose interpreter is missing", lambda: over(program(f"{BIN}/conda", "#!/none/sh\necho conda 4.5.12\n"))
    ),
    judged(
        "program whose interpreter has no x",
        lambda: over(file("none/sh", "x"), program(f"{BIN}/conda", "#!/none/sh\necho conda 4.5.12\n")),
    ),
    judged("Python that is a script", lambda: over(program(f"{BIN}/python", programs.script("Python 3.7.1")))),
    judged("Python that is damaged", lambda: over(program(f"{BIN}/python", b"\x7fELF" + bytes(60)))),
    judged(
        "Python for another machine",
        lambda: over(program(f"{BIN}/python", b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x08\x00" + bytes(44))),
    ),
    judged("sparse os-release", lambda: image(good(), [Entry("etc/os-release", kind="S", body=DEBIAN.encode())])),
    judged("a socket's and a volume's header", lambda: image(good(), evil(), [Entry("x", kind="V")])),
)
CASES: tuple[Case, ...] = (*DEVICES, *TYPES, *IMPLICIT, *MORE)
