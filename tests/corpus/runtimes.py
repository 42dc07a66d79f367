"""Images that runtimes start as something else than a look at their archives says: names, links, modes, users."""

from typing import Any

from tests.corpus.builders import Image, as_json, config_document, image, layer
from tests.corpus.case import Case, cleared, good, refused, unclear
from tests.corpus.systems import PREFIX, elf, miniconda, os_release
from tests.corpus.tarballs import (
    Entry,
    device,
    file,
    folder,
    hard_link,
    link,
    opaque,
    pax,
    pax_record,
    program,
    whiteout,
)

EVIL = miniconda("4.3.0", "3.7.1", "opt/evil")
BOTH = "/opt/miniconda/bin:/opt/evil/bin:/bin"
OLD: dict[str, Any] = {"conda": ("4.3.0",), "python": ("3.7.1",)}
DEBIAN = os_release("debian", "10.1")
PASSWD = "root:x:0:0::/root:/bin/sh\nann:x:1000:100::/:/bin/sh\nodd:x:x:y::/:/bin/sh\n"
GROUP = "root:x:0:\nusers:x:100:\nlab:x:2000:ann,bob\n"
ACCOUNTS = [file("etc/passwd", PASSWD), file("etc/group", GROUP)]
META = f"{PREFIX}/conda-meta"


def owned(entry: Entry, uid: int, gid: int = 0, mode: int | None = None) -> Entry:
    """The same member of another owner."""
    changed = entry.but(change={**entry.change, 108: b"%07o\0" % uid, 116: b"%07o\0" % gid})
    return changed if mode is None else changed.but(mode=mode)


def attributed(key: str, entry: Entry, value: str = "y") -> list[Entry]:
    """A member with one extended attribute."""
    return [pax(pax_record(key.encode(), value.encode())), entry]


def started(*layers: list[Entry], path: str = BOTH, **config: Any) -> Image:
    """A good prefix, a bad one behind it on PATH, layers on top, and more members in the configuration."""
    made = [layer(*good(), *EVIL, *ACCOUNTS), *(layer(*entries) for entries in layers)]
    document = config_document(made, path)
    document["config"] |= config
    return image(*made, config=as_json(document))


def elsewhere(prefix: str, path: str) -> Image:
    """A bad prefix at another place, found by this PATH before the good one."""
    return started(miniconda("4.3.0", "3.7.1", prefix), path=f"{path}:{BOTH}")


NAMES: list[Case] = [
    refused("a directory with .wh..wh. in its name", lambda: elsewhere("x.wh..wh.y", "/x.wh..wh.y/bin"), **OLD),
    refused("the same deeper", lambda: elsewhere("opt/a.wh..wh.", "/opt/a.wh..wh./bin"), **OLD),
    refused("a directory that begins as a whiteout", lambda: elsewhere("opt/.wh.x", "/opt/.wh.x/bin"), **OLD),
    refused(
        "a directory that begins as AUFS's, deeper", lambda: elsewhere("opt/.wh..wh.x", "/opt/.wh..wh.x/bin"), **OLD
    ),
    unclear("a directory that begins as AUFS's, at the root", lambda: elsewhere(".wh..wh.x", "/.wh..wh.x/bin"), "AUFS"),
    unclear(
        "a whiteout of such a directory at the root",
        lambda: started(miniconda(prefix=".wh.x"), [file(".wh..wh.x")], path=f"/.wh.x/bin:{BOTH}"),
        ".wh.x",
    ),
    cleared("AUFS's own files, which nobody looks up", lambda: started([file(".wh..wh.plnk/1.2", "x")])),
]

MOUNTED: list[Case] = [
    unclear("a prefix below /run, which containerd mounts", lambda: elsewhere("run/conda", "/run/conda/bin"), "/run"),
    unclear(
        "/etc/hostname is a link to a program",
        lambda: started([link("etc/hostname", f"/{PREFIX}/bin/conda")]),
        "opt/miniconda/bin/conda is what the runtime puts there",
    ),
    unclear(
        "/dev is a link to the prefix",
        lambda: started([link("dev", PREFIX)]),
        "opt/miniconda is what the runtime puts there",
    ),
    unclear("PATH through /proc/self/root", lambda: started(path=f"/proc/self/root/opt/evil/bin:{BOTH}"), "/proc"),
    unclear("PATH through /proc/1/cwd", lambda: started(path=f"/proc/1/cwd/bin:{BOTH}"), "/proc"),
    unclear(
        "a link through /proc", lambda: started([link("p", "/proc/1/root/opt/evil")], path=f"/p/bin:{BOTH}"), "/proc"
    ),
    unclear("a prefix below /dev", lambda: elsewhere("dev/conda", "/dev/conda/bin"), "/dev"),
    unclear("a prefix below /sys, by ..", lambda: elsewhere("sys/conda", "/opt/../sys/conda/bin"), "/sys"),
    unclear(
        "os-release through /proc",
        lambda: started([link("etc/os-release", "/proc/self/root/usr/lib/os-release")]),
        "/proc",
    ),
    unclear("os-release is /etc/hostname", lambda: started([link("etc/os-release", "hostname")]), "/etc/hostname"),
    unclear("/etc is a link", lambda: started([whiteout("etc")], [link("etc", "usr/lib")]), "/etc is a symbolic link"),
    unclear("os-release is /dev/null", lambda: started([device("etc/os-release")]), "device"),
    unclear("os-release is a FIFO", lambda: started([device("etc/os-release", "6")]), "device"),
    cleared("os-release is overlayfs's own whiteout", lambda: started([Entry("etc/os-release", kind="3")])),
    refused(
        "a python is overlayfs's own whiteout",
        lambda: started([Entry(f"{PREFIX}/bin/conda", kind="3")]),
        conda=("4.3.0",),
    ),
]

LINKS: list[Case] = [
    refused(
        "a link to a program and a slash",
        lambda: started([link(f"{PREFIX}/bin/python", "python3.6/"), link(f"{PREFIX}/bin/python3", "python3.6/")]),
        **OLD,
    ),
    refused(
        "a link to a program and a dot",
        lambda: started([link(f"{PREFIX}/bin/python", "python3.6/."), link(f"{PREFIX}/bin/python3", "./python3.6/.")]),
        **OLD,
    ),
    refused(
        "conda by a link with a slash",
        lambda: started(
            [whiteout(f"{PREFIX}/bin/conda")], [file("c/conda", "#!"), link(f"{PREFIX}/bin/conda", "/c/conda/")]
        ),
        conda=("4.3.0",),
    ),
    unclear("a link to nothing", lambda: started([link("x", "")]), "target of 0 bytes"),
    refused(
        "os-release by a link with a slash",
        lambda: started(
            [link("etc/os-release", "../usr/lib/os-release/"), whiteout("usr/lib/os-release")],
            [link("usr/lib/os-release", "lsb/"), file("usr/lib/lsb", os_release()), whiteout("etc/lsb-release")],
        ),
        os=None,
    ),
    unclear(
        "a link of somebody's in a sticky directory",
        lambda: started([folder("t").but(mode=0o1777), owned(link("t/e", "/opt/evil"), 1000)], path=f"/t/e/bin:{BOTH}"),
        "protected_symlinks",
    ),
    refused(
        "root's link in a sticky directory",
        lambda: started([folder("t").but(mode=0o1777), link("t/e", "/opt/evil")], path=f"/t/e/bin:{BOTH}"),
        **OLD,
    ),
]

MODES: list[Case] = [
    refused(
        "a hard link takes the execute bits",
        lambda: started(
            [file("x/conda", "#!", 0o755), hard_link("x/c", "x/conda", 0o644), whiteout(f"{PREFIX}/bin/conda")],
            [link(f"{PREFIX}/bin/conda", "/x/conda")],
        ),
        conda=("4.3.0",),
    ),
    refused(
        "a hard link gives execute bits",
        lambda: started(
            [
                file("x/bin/python3.7", elf("3.7.1")),
                link("x/bin/python", "python3.7"),
                hard_link("y", "x/bin/python3.7", 0o711),
            ],
            path=f"/x/bin:{BOTH}",
        ),
        python=("3.7.1",),
    ),
    cleared(
        "the last of three hard links counts",
        lambda: started(
            [
                program("x/conda", "#!"),
                hard_link("x/a", "x/conda", 0o644),
                hard_link("x/b", "x/a", 0o755),
                whiteout("opt/evil"),
            ]
        ),
    ),
    unclear(
        "a hard link gives an older layer's file another mode",
        lambda: started([hard_link("y", f"{PREFIX}/bin/conda", 0o644)]),
        "another mode or owner",
    ),
]

OVERLAY_ATTRIBUTES = (
    *("SCHILY.xattr.trusted.overlay.opaque", "SCHILY.xattr.trusted.overlay.redirect"),
    *("SCHILY.xattr.user.overlay.opaque", "LIBARCHIVE.xattr.trusted%2eoverlay%2emetacopy"),
    *("LIBARCHIVE.xattr.trusted.overlay.opaque", "SCHILY.xattr.user.fuseoverlayfs.opaque"),
    *("SCHILY.xattr.user.containers.override_stat", "SCHILY.xattr.trusted.overlay.whiteout"),
)


def overlay_attribute(key: str) -> Case:
    """A directory with an attribute that an overlay file system keeps for itself."""
    return unclear(f"the attribute {key}", lambda: started(attributed(key, folder(PREFIX))), "extended attribute")


ATTRIBUTES: list[Case] = [
    *(overlay_attribute(key) for key in OVERLAY_ATTRIBUTES),
    cleared("a capability", lambda: started(attributed("SCHILY.xattr.security.capability", program("usr/bin/ping")))),
    cleared("an attribute of nobody's", lambda: started(attributed("SCHILY.xattr.user.comment", folder(PREFIX)))),
    cleared(
        "an access list, for root", lambda: started(attributed("SCHILY.xattr.system.posix_acl_access", folder("opt")))
    ),
    unclear(
        "an access list, for somebody else",
        lambda: started(attributed("SCHILY.xattr.system.posix_acl_access", folder("opt")), User="1000"),
        "access control lists",
    ),
]

INSIDE = [folder(f"{PREFIX}/{name}") for name in ("include", "include/python3.6m")]
NEW_PREFIX = [folder(PREFIX), *(item for item in miniconda("4.6.1", "3.6.1") if item.path.rstrip("/") != PREFIX)]
ORDERS: list[Case] = [
    unclear("a directory beside its own whiteout", lambda: started([whiteout(PREFIX), *NEW_PREFIX]), "show the older"),
    cleared(
        "the same where there was none before",
        lambda: started([whiteout("opt/new"), folder("opt/new"), file("opt/new/x")]),
    ),
    unclear(
        "a directory that is deleted, deleted below, and brought",
        lambda: started([whiteout(PREFIX), whiteout(f"{PREFIX}/bin"), folder(PREFIX)]),
        "is deleted by the layer",
    ),
    cleared(
        "a whiteout, and in the next layer the directory",
        lambda: started([whiteout(PREFIX)], NEW_PREFIX),
        conda=("4.6.1",),
        python=("3.6.1",),
    ),
    cleared(
        "an opaque directory, marked last",
        lambda: started([*INSIDE, *NEW_PREFIX, opaque(PREFIX)]),
        conda=("4.6.1",),
        python=("3.6.1",),
    ),
    unclear(
        "a hard link to what the layer deletes",
        lambda: started([whiteout("etc/os-release"), hard_link("x", "etc/os-release"), file("etc/os-release", DEBIAN)]),
        "the same layer deletes",
    ),
    unclear(
        "an opaque marker after members whose directories have no members of their own",
        lambda: started([file("srv/a/b/c"), opaque("srv/a")]),
        "podman's vfs deletes them",
    ),
    cleared("an opaque marker before such members", lambda: started([opaque("srv/a"), file("srv/a/b/c")])),
    cleared("an opaque marker after members of named ones", lambda: started([folder("srv/a/b"), opaque("srv/a")])),
    cleared("only a marker in a directory", lambda: started([whiteout("opt/none/x"), opaque("srv/none")])),
]

USERS: list[Case] = [
    unclear("a shell that is root", lambda: started([program("bin/sh").but(mode=0o4755)], User="ann"), "privileges"),
    cleared("a shell that is root, for root", lambda: started([program("bin/sh").but(mode=0o4755)])),
    unclear(
        "a shell with capabilities",
        lambda: started(attributed("SCHILY.xattr.security.capability", program("bin/sh")), User="ann"),
        "privileges",
    ),
    refused(
        "a user who may not search the prefix", lambda: started([folder(PREFIX).but(mode=0o700)], User="1000"), **OLD
    ),
    cleared("root may", lambda: started([folder(PREFIX).but(mode=0o000)], User="0:100")),
    cleared("its owner may", lambda: started([owned(folder(PREFIX), 1000, mode=0o700)], User="ann")),
    refused(
        "its owner may not, others might", lambda: started([owned(folder(PREFIX), 1000, mode=0o077)], User="ann"), **OLD
    ),
    cleared("its group may", lambda: started([owned(folder(PREFIX), 0, 100, 0o710)], User="ann")),
    cleared("a supplementary group may", lambda: started([owned(folder(PREFIX), 0, 2000, 0o710)], User="1000")),
    refused(
        "a group that is named instead may not",
        lambda: started([owned(folder(PREFIX), 0, 100, 0o710)], User="1000:5"),
        **OLD,
    ),
    unclear(
        "containerd keeps supplementary groups",
        lambda: started([owned(folder(PREFIX), 0, 2000, 0o710)], User="ann:users"),
        "groups",
    ),
    refused(
        "a number without a line has group 0",
        lambda: started([owned(folder(PREFIX), 0, 2000, 0o710)], User="77"),
        **OLD,
    ),
    refused(
        "a user who may not execute conda",
        lambda: started([whiteout(f"{PREFIX}/bin/conda")], [file(f"{PREFIX}/bin/conda", "#!", 0o744)], User="ann"),
        conda=("4.3.0",),
    ),
    unclear(
        "a user who may execute and not read a script",
        lambda: started([whiteout(f"{PREFIX}/bin/conda")], [file(f"{PREFIX}/bin/conda", "text", 0o711)], User="ann"),
        "not read",
    ),
    refused(
        "a user who cannot read etc/os-release",
        lambda: started([file("etc/os-release", os_release(), 0o600), file("usr/lib/os-release", DEBIAN)], User="ann"),
        os="debian 10.1",
    ),
    unclear(
        "a user who may not execute the shell",
        lambda: started([program("bin/sh").but(mode=0o700)], User="ann"),
        "/bin/sh",
    ),
    unclear("a user who is not there", lambda: started(User="bob"), "no user 'bob'"),
    unclear("a user without numbers", lambda: started(User="odd"), "no numbers"),
    unclear("a group that is not there", lambda: started(User="ann:none"), "no group 'none'"),
    unclear("a user with a sign", lambda: started(User="+1000"), "sign"),
    unclear("too many colons", lambda: started(User="1:2:3"), "NAME:GROUP"),
    unclear(
        "members below what is not open, which the layer does not name",
        lambda: started([folder(PREFIX).but(mode=0o700)], [file(f"{PREFIX}/x")], User="ann"),
        "without naming it",
    ),
    unclear(
        "etc/passwd is a link to what nobody read",
        lambda: started([link("etc/passwd", "/p"), file("p", "ann:x:0:0:")], User="ann"),
        "cannot be read",
    ),
]

CASES: list[Case] = [*NAMES, *MOUNTED, *LINKS, *MODES, *ATTRIBUTES, *ORDERS, *USERS]
