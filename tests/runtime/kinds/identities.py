"""The configured User (I2): how it is named, what it may read and execute, which groups it has."""

from collections.abc import Sequence
from typing import Any

from tests.corpus.tarballs import Entry, file, link, whiteout
from tests.runtime.images import (
    GROUP,
    PASSWD,
    PATH,
    Image,
    evil,
    good,
    image,
    owned,
)
from tests.runtime.kinds.case import Case, cleared, judged, refused

BIN = "opt/good/bin"
PROGRAMS = ("conda", "python3.6")


def guarded(mode: int, user: int = 0, group: int = 0, *, where: Sequence[str] = PROGRAMS) -> list[Entry]:
    """The good prefix, some members of its bin with another mode and owner."""
    chosen = {f"{BIN}/{name}" for name in where}
    return [owned(item.but(mode=mode), user, group) if item.path in chosen else item for item in good()]


def shut(path: str, mode: int, user: int = 0, group: int = 0) -> list[Entry]:
    """The good prefix, one of its directories with another mode and owner."""
    return [owned(item.but(mode=mode), user, group) if item.path.rstrip("/") == path else item for item in good()]


def run_as(user: Any, *layers: Sequence[Entry]) -> Image:
    """The good prefix as given (or as it is), the other one behind it on PATH, and a User."""
    return image(*(layers or (good(),)), evil(), User=user)


def with_files(user: Any, passwd: str, group: str, *layers: Sequence[Entry]) -> Image:
    """The same with an etc/passwd and etc/group of its own."""
    return run_as(user, *layers, [file("etc/passwd", passwd), file("etc/group", group)])


STAFF = guarded(0o750, 0, 50)
USERS = guarded(0o750, 0, 100)
NAMED: tuple[Case, ...] = tuple(
    judged(f"{what} program, User {user!r}", lambda made=made, user=user: run_as(user, made))  # type: ignore[misc]
    for what, made in (("staff's", STAFF), ("users'", USERS))
    for user in (
        *("", "0", "root", "worker", "1000", "worker:staff", "worker:50", "1000:50", "1000:staff", "4242", "4242:50"),
        *("worker:0", "0:50", ":50", ":staff", "worker:", "lonely", "1001", "lonely:100"),
    )
)
ODD: tuple[Case, ...] = tuple(
    judged(f"User {user!r}", lambda user=user: run_as(user, guarded(0o700)))  # type: ignore[misc]
    for user in (
        *("nobody-here", "nobody-here:0", "worker:nobody-here", "-1", "0:0:0", ":", " ", "worker ", " worker"),
        *(
            "+0",
            "00",
            "0x0",
            "01000",
            "4294967295",
            "4294967296",
            "2147483648",
            "99999999999999999999",
            "1000.5",
            "ROOT",
        ),
        *("root:root", "0:0", "worker\n", "рабочий", "1000:4294967296", None, 0, 1000, ["root"], {"a": "b"}, True),
    )
)
MODES: tuple[Case, ...] = tuple(
    judged(f"mode {mode:o}, owner {user}:{group}", lambda m=mode, u=user, g=group: run_as("worker", guarded(m, u, g)))  # type: ignore[misc]
    for mode, user, group in (
        *((0o700, 0, 0), (0o711, 0, 0), (0o744, 0, 0), (0o754, 0, 100), (0o705, 0, 100), (0o075, 1000, 100)),
        *((0o077, 1000, 0), (0o070, 0, 50), (0o007, 0, 0), (0o100, 1000, 0), (0o500, 1000, 0), (0o010, 0, 100)),
        *((0o4711, 0, 0), (0o2755, 0, 50), (0o001, 0, 0), (0o000, 1000, 100), (0o555, 0, 0)),
    )
)
ROOTS: tuple[Case, ...] = tuple(
    judged(f"root and mode {mode:o}", lambda m=mode: run_as("", guarded(m, 1000, 1000)))  # type: ignore[misc]
    for mode in (0o001, 0o010, 0o100, 0o000, 0o666, 0o644)
)
DIRECTORIES: tuple[Case, ...] = tuple(
    judged(
        f"{path} has mode {mode:o} of {user}:{group}",
        lambda p=path, m=mode, u=user, g=group: run_as("worker", shut(p, m, u, g)),  # type: ignore[misc]
    )
    for path in ("opt/good", BIN)
    for mode, user, group in (
        (0o700, 0, 0),
        (0o711, 0, 0),
        (0o744, 0, 0),
        (0o750, 0, 50),
        (0o077, 1000, 0),
        (0o644, 0, 0),
    )
)
FILES: tuple[Case, ...] = (
    refused("a user that may not execute what PATH reaches", lambda: run_as("worker", guarded(0o700))),
    cleared("a user that may", lambda: run_as("worker", guarded(0o755))),
    judged(
        "group by etc/group of the image",
        lambda: with_files("worker", PASSWD, GROUP + "more:x:77:worker\n", guarded(0o750, 0, 77)),
    ),
    judged(
        "the same by number", lambda: with_files("1000", PASSWD, GROUP + "more:x:77:worker\n", guarded(0o750, 0, 77))
    ),
    judged(
        "a member among many", lambda: with_files("worker", PASSWD, "more:x:77:a,b,worker,c\n", guarded(0o750, 0, 77))
    ),
    judged("a member with blanks", lambda: with_files("worker", PASSWD, "more:x:77: worker\n", guarded(0o750, 0, 77))),
    judged(
        "user that is named twice",
        lambda: with_files("twin", "twin:x:0:0::/:\ntwin:x:1000:100::/:\n", GROUP, guarded(0o700)),
    ),
    judged(
        "user that is named twice, other way",
        lambda: with_files("twin", "twin:x:1000:100::/:\ntwin:x:0:0::/:\n", GROUP, guarded(0o700)),
    ),
    judged(
        "number that is named twice", lambda: with_files("1000", "a:x:1000:50::/:\nb:x:1000:100::/:\n", GROUP, USERS)
    ),
    judged("group that is named twice", lambda: with_files("worker:twin", PASSWD, "twin:x:7:\ntwin:x:50:\n", STAFF)),
    judged(
        "name that is a number of another",
        lambda: with_files("1000", "1000:x:0:0::/:\nworker:x:1000:100::/:\n", GROUP, guarded(0o700)),
    ),
    judged(
        "broken lines in passwd",
        lambda: with_files("worker", "worker:x\n:::\n#worker:x:0:0\nworker:x:1000:50::/:\n", GROUP, STAFF),
    ),
    judged("number that is none in passwd", lambda: with_files("worker", "worker:x:zero:50::/:\n", GROUP, STAFF)),
    judged("passwd without a last line end", lambda: with_files("worker", "worker:x:1000:50::/:", GROUP, STAFF)),
    judged("passwd with carriage returns", lambda: with_files("worker", "worker:x:1000:50::/:\r\n", GROUP, STAFF)),
    judged(
        "passwd that is a link",
        lambda: run_as(
            "worker", STAFF, [link("etc/passwd", "/opt/passwd"), file("opt/passwd", "worker:x:1000:50::/:\n")]
        ),
    ),
    judged(
        "passwd that is a link out of the root",
        lambda: run_as("root", guarded(0o700), [link("etc/passwd", "../../../../etc/passwd")]),
    ),
    judged("passwd that leads nowhere", lambda: run_as("worker", STAFF, [link("etc/passwd", "none")])),
    judged("no passwd, a name", lambda: run_as("worker", good(), [whiteout("etc/passwd")])),
    judged("no passwd, root", lambda: run_as("root", guarded(0o700), [whiteout("etc/passwd")])),
    judged("no passwd, a number", lambda: run_as("1000", USERS, [whiteout("etc/passwd")])),
    judged("no group, a name", lambda: run_as("worker:staff", STAFF, [whiteout("etc/group")])),
    judged("no group, a number", lambda: run_as("1000:50", STAFF, [whiteout("etc/group")])),
    judged(
        "passwd in an unreadable directory",
        lambda: run_as("worker", good(), [owned(Entry("etc/", kind="5", mode=0o700), 0)]),
    ),
    judged(
        "unreadable os-release",
        lambda: run_as("worker", good(), [file("etc/os-release", "ID=debian\nVERSION_ID=7\n", 0o600)]),
    ),
    judged("unreadable shell", lambda: run_as("worker", good(), [Entry("bin/", kind="5", mode=0o700)])),
    judged("unreadable root", lambda: run_as("worker", good(), [Entry("./", kind="5", mode=0o700)])),
    judged("program of a user that is not root, for root", lambda: run_as("root", guarded(0o700, 1000, 100))),
    judged(
        "home in passwd",
        lambda: image(
            good(),
            [file("etc/passwd", "worker:x:1000:100::/opt/evil:/bin/sh\n")],
            evil(),
            User="worker",
            path=f"~/bin:{PATH}",
        ),
    ),
)
CASES: tuple[Case, ...] = (*FILES, *NAMED, *ODD, *MODES, *ROOTS, *DIRECTORIES)
