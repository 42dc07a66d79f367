"""Extended attributes (I6): those by which an overlay file system hides or moves, capabilities, access lists."""

from tests.corpus.tarballs import Entry, file, folder, global_pax
from tests.runtime import programs
from tests.runtime.images import (
    PATH,
    Image,
    attributed,
    evil,
    good,
    image,
    owned,
)
from tests.runtime.kinds.case import Case, cleared, judged, unclear

# Version 2, for one user 1000, one group 50: tags, permissions, numbers (Linux, posix_acl_xattr.h).
ACL_DENY = b"\x02\0\0\0" + b"\x01\0\x07\0\xff\xff\xff\xff" + b"\x02\0\0\0\xe8\x03\0\0" + b"\x04\0\x05\0\xff\xff\xff\xff"
ACL_DENY += b"\x10\0\x07\0\xff\xff\xff\xff" + b"\x20\0\x05\0\xff\xff\xff\xff"
ACL_ALLOW = (
    b"\x02\0\0\0" + b"\x01\0\x07\0\xff\xff\xff\xff" + b"\x02\0\x07\0\xe8\x03\0\0" + b"\x04\0\0\0\xff\xff\xff\xff"
)
ACL_ALLOW += b"\x10\0\x07\0\xff\xff\xff\xff" + b"\x20\0\0\0\xff\xff\xff\xff"


def marked(key: str, value: str, path: str = "opt/good/") -> Image:
    """A directory of the good prefix is named again in a newer layer, with an attribute."""
    return image(good(), evil(), attributed(Entry(path, kind="5", mode=0o755), **{key: value}))


def moved(key: str) -> Image:
    """An empty directory in the good one's place says that its content is another's."""
    return image(good(), evil(), attributed(folder("opt/good"), **{key: "/opt/evil"}))


def whole(key: str, value: str) -> Image:
    """Attributes of a global header, for every member."""
    records = attributed(folder("opt/good"), **{key: value})
    return image(good(), evil(), [global_pax(records=records[0].body), folder("opt/good")])


def listed(acl: bytes, mode: int, user: str = "worker") -> Image:
    """The good prefix's conda with a list of access."""
    made: list[Entry] = []
    for entry in good():
        if entry.path == "opt/good/bin/conda":
            made += attributed(entry.but(mode=mode), SCHILY__xattr__system__posix_acl_access=acl)
        else:
            made.append(entry)
    return image(made, evil(), User=user)


SPELLINGS = ("SCHILY__xattr__", "LIBARCHIVE__xattr__")
OPAQUE: tuple[Case, ...] = tuple(
    judged(
        f"{front.replace('__', '.')}{name.replace('__', '.')}={value}",
        lambda k=f"{front}{name}", v=value: marked(k, v),  # type: ignore[misc]
    )
    for front in SPELLINGS
    for name, value in (
        *(("trusted__overlay__opaque", "y"), ("user__overlay__opaque", "y"), ("trusted__overlay__opaque", "x")),
        *(("user__fuseoverlayfs__opaque", "y"), ("user__containers__opaque", "y"), ("trusted__overlay__whiteout", "y")),
        *(
            ("user__containers__override_stat", "0:0:0700"),
            ("trusted__overlay__nothing", "y"),
            ("user__overlay__x", "y"),
        ),
        *(("trusted__overlay__overlay__opaque", "y"), ("trusted__overlay__xwhiteouts", "y")),
    )
)
REDIRECTS: tuple[Case, ...] = tuple(
    judged(f"{front.replace('__', '.')}{name.replace('__', '.')}", lambda k=f"{front}{name}": moved(k))  # type: ignore[misc]
    for front in SPELLINGS
    for name in (
        *(
            "trusted__overlay__redirect",
            "user__overlay__redirect",
            "trusted__overlay__origin",
            "trusted__overlay__metacopy",
        ),
        *("user__fuseoverlayfs__redirect", "user__containers__redirect"),
    )
)
CASES: tuple[Case, ...] = (
    *OPAQUE,
    *REDIRECTS,
    unclear(
        "overlay's opaque on the directory of programs",
        lambda: marked("SCHILY__xattr__trusted__overlay__opaque", "y", "opt/good/bin/"),
    ),
    unclear(
        "overlay's redirect on opt",
        lambda: image(
            good("srv/good"),
            evil(),
            good(),
            attributed(folder("opt"), SCHILY__xattr__trusted__overlay__redirect="/srv"),
        ),
    ),
    judged("overlay's opaque on the root", lambda: marked("SCHILY__xattr__trusted__overlay__opaque", "y", "./")),
    judged(
        "overlay's opaque on a file",
        lambda: image(good(), evil(), attributed(file("opt/x"), SCHILY__xattr__trusted__overlay__opaque="y")),
    ),
    judged(
        "metacopy on a program",
        lambda: image(
            evil(),
            good(),
            attributed(file("opt/good/bin/conda", b"", 0o755), SCHILY__xattr__trusted__overlay__metacopy=""),
        ),
    ),
    judged("overlay's opaque in a global header", lambda: whole("SCHILY__xattr__trusted__overlay__opaque", "y")),
    judged("overlay's opaque in capitals", lambda: marked("SCHILY__XATTR__trusted__overlay__opaque", "y")),
    judged("overlay's opaque of an unknown spelling", lambda: marked("xattr__trusted__overlay__opaque", "y")),
    judged(
        "overlay's opaque in LIBARCHIVE's base64", lambda: marked("LIBARCHIVE__xattr__trusted__overlay__opaque", "eQ==")
    ),
    judged(
        "overlay's opaque in the lowest layer",
        lambda: image(attributed(folder("opt"), SCHILY__xattr__trusted__overlay__opaque="y"), good(), evil()),
    ),
    cleared(
        "capability of a program",
        lambda: image(
            good(),
            attributed(
                file("usr/bin/ping", "x", 0o755),
                SCHILY__xattr__security__capability=b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            ),
        ),
    ),
    cleared(
        "an attribute of a user",
        lambda: image(good(), evil(), attributed(folder("opt/good"), SCHILY__xattr__user__comment="y")),
    ),
    judged(
        "an attribute of SELinux",
        lambda: image(
            good(),
            evil(),
            attributed(folder("opt/good"), SCHILY__xattr__security__selinux="system_u:object_r:usr_t:s0"),
        ),
    ),
    judged("a list that denies the user", lambda: listed(ACL_DENY, 0o755)),
    judged("a list that allows the user", lambda: listed(ACL_ALLOW, 0o770)),
    judged("a list that denies the user, for root", lambda: listed(ACL_DENY, 0o755, "")),
    judged("mode in an extended header", lambda: image(attributed_mode(), evil(), User="worker")),
    judged("owner in an extended header", lambda: image(attributed_owner("1000"), evil(), User="worker")),
    judged(
        "owner of many figures in an extended header",
        lambda: image(attributed_owner("4294967296"), evil(), User="worker"),
    ),
    judged("user's name in an extended header", lambda: image(named_owner(), evil(), User="worker")),
    judged(
        "path in an extended header",
        lambda: image(
            evil(), good(), attributed(file("x", programs.conda("4.5.12"), 0o755), path="opt/good/bin/conda/")
        ),
    ),
    judged(
        "link's target in an extended header",
        lambda: image(
            good(),
            evil(),
            attributed(Entry("first", kind="2", link="opt/good/bin"), linkpath="opt/evil/bin"),
            path=f"/first:{PATH}",
        ),
    ),
    judged(
        "size in an extended header",
        lambda: image(good(), attributed(file("usr/lib/os-release", "ID=debian\nVERSION_ID=9\n"), size="10")),
    ),
)


def attributed_mode() -> list[Entry]:
    """The good prefix's conda says in an extended header that it is executable."""
    made = [e.but(mode=0o600) if e.path == "opt/good/bin/conda" else e for e in good()]
    return [part for e in made for part in (attributed(e, mode="0755") if e.path == "opt/good/bin/conda" else [e])]


def attributed_owner(number: str) -> list[Entry]:
    """The good prefix's conda is for its owner only, whom an extended header names."""
    made = [e.but(mode=0o700) if e.path == "opt/good/bin/conda" else e for e in good()]
    return [p for e in made for p in (attributed(e, uid=number, gid="100") if e.path == "opt/good/bin/conda" else [e])]


def named_owner() -> list[Entry]:
    """The owner's name in the header is the user's, its number is root's."""
    change = {265: b"worker\0", 297: b"users\0"}
    made = [e.but(mode=0o700) if e.path == "opt/good/bin/conda" else e for e in good()]
    return [owned(e, 0).but(change={**change}) if e.path == "opt/good/bin/conda" else e for e in made]
