"""What only the runtime knows or brings (I3): proc, sys, dev, and the files that it mounts over the image's."""

from tests.corpus.tarballs import (
    Entry,
    device,
    file,
    folder,
    hard_link,
    link,
    program,
)
from tests.runtime import programs
from tests.runtime.images import (
    SYSTEM_PATH,
    Image,
    bare,
    evil,
    good,
    image,
    release,
)
from tests.runtime.kinds.case import Case, cleared, judged, withheld

GOOD = "/opt/good/bin"
DEBIAN = release("9", "debian")


def through(path: str, *entries: Entry) -> Image:
    """PATH first goes through a path, then to the good prefix; the other one lies in the image too."""
    return image(good(), [*evil(), *entries], path=f"{path}:{GOOD}:{SYSTEM_PATH}")


def linked(target: str, *entries: Entry) -> Image:
    """The first directory of PATH is a link."""
    return through("/way", link("way", target), *entries)


def under(path: str) -> Image:
    """The good prefix lies where a runtime mounts something; the other one is behind it on PATH."""
    return image(good(path), evil(), path=f"/{path}/bin:/opt/evil/bin:{SYSTEM_PATH}")


def system(target: str, *entries: Entry) -> Image:
    """os-release is a link to something."""
    return image(good(), [link("etc/os-release", target), *entries])


PATHS: tuple[Case, ...] = tuple(
    withheld(f"PATH through {path}", lambda path=path: through(f"{path}/opt/evil/bin"))  # type: ignore[misc]
    for path in (
        "/proc/self/root",
        "/proc/1/root",
        "/proc/thread-self/root",
        "/proc/self/task/1/root",
        "//proc/./1/root",
    )
)
LINKS: tuple[Case, ...] = tuple(
    withheld(f"link through {path}", lambda path=path: linked(path))  # type: ignore[misc]
    for path in (
        *("/proc/self/root/opt/evil/bin", "/proc/1/root/opt/evil/bin", "proc/1/cwd/opt/evil/bin"),
        *("/dev/fd/../root/opt/evil/bin", "/sys/../proc/1/root/opt/evil/bin", "/proc/self/cwd/../opt/evil/bin"),
    )
)
UNDER: tuple[Case, ...] = tuple(
    judged(f"prefix below {path}", lambda path=path: under(path))  # type: ignore[misc]
    for path in (
        *(
            "dev/x",
            "proc/x",
            "sys/x",
            "dev/shm/x",
            "dev/pts",
            "dev/mqueue/x",
            "sys/fs/cgroup/x",
            "run/x",
            "proc",
            "dev",
        ),
        *("var/run/x", "run/secrets/x", "etc/x", "tmp/x", "dev/fd", "dev/pts/x"),
    )
)
FILES: tuple[Case, ...] = tuple(
    judged(
        f"os-release is a link to {target}",
        lambda target=target: system(target, file(f"x/../{target.lstrip('/.')}", DEBIAN)),  # type: ignore[misc]
    )
    for target in (
        *(
            "/etc/hosts",
            "hostname",
            "/etc/resolv.conf",
            "../etc/hosts",
            "/etc/mtab",
            "/run/.containerenv",
            "/.dockerenv",
        ),
        *("/dev/x", "/run/secrets/x", "/etc/hosts.x"),
    )
)
MORE: tuple[Case, ...] = (
    withheld("os-release through proc", lambda: system("/proc/self/root/opt/r", file("opt/r", DEBIAN))),
    withheld("os-release through another process", lambda: system("/proc/1/root/opt/r", file("opt/r", DEBIAN))),
    judged(
        "os-release is the environment", lambda: image(good(), [link("etc/os-release", "/proc/self/environ")], ID="x")
    ),
    judged("program is the running one", lambda: linked("/run/b", link("run/b/conda", "/proc/self/exe"))),
    judged("program is an open file", lambda: linked("/run/b", link("run/b/conda", "/dev/stdin"))),
    judged("program is the null device", lambda: linked("/run/b", link("run/b/conda", "/dev/null"))),
    judged(
        "hard link to hosts",
        lambda: image(good(), [file("etc/hosts", DEBIAN), hard_link("etc/os-release", "etc/hosts")]),
    ),
    judged("hosts is a link to os-release", lambda: image(good(), [link("etc/hosts", "../usr/lib/os-release")])),
    judged(
        "resolv.conf is a link to os-release", lambda: image(good(), [link("etc/resolv.conf", "../usr/lib/os-release")])
    ),
    judged(
        "hostname is a link to a program", lambda: image(good(), evil(), [link("etc/hostname", "/opt/good/bin/conda")])
    ),
    judged("hosts is a directory of the prefix", lambda: under("etc/hosts")),
    judged("mtab is a file", lambda: image(good(), [file("etc/mtab", "x")])),
    judged("proc is a link", lambda: through("/proc/opt/evil/bin", link("proc", "/opt/good"))),
    judged("dev is a link to the prefix", lambda: image(good(), evil(), [link("dev", "opt/good")])),
    judged("sys is a file", lambda: image(good(), evil(), [file("sys", "x")])),
    judged("run is a link to the prefix", lambda: image(good(), evil(), [link("run", "opt/good")])),
    judged(
        "etc is a link",
        lambda: image(good(), [folder("srv/etc"), file("srv/etc/os-release", DEBIAN), link("etc", "srv/etc")]),
    ),
    judged(
        "etc is an absolute link",
        lambda: image(good(), [folder("srv/etc"), file("srv/etc/os-release", DEBIAN), link("etc", "/srv/etc")]),
    ),
    judged(
        "etc is a link out of the root",
        lambda: image(good(), [folder("srv/etc"), file("srv/etc/os-release", DEBIAN), link("etc", "../../srv/etc")]),
    ),
    judged("etc is a link to nothing", lambda: image(good(), [link("etc", "none")])),
    judged("etc is a link to usr/lib", lambda: image(good(), [link("etc", "usr/lib")])),
    judged(
        "etc is a link in the lowest layer",
        lambda: image(good(), [link("etc", "srv"), file("srv/os-release", DEBIAN)], below=bare()),
    ),
    judged(
        "etc is a link, members below it later",
        lambda: image(good(), [link("etc", "srv"), folder("srv")], [file("etc/os-release", DEBIAN)]),
    ),
    judged("etc is a link round in a circle", lambda: image(good(), [link("etc", "etc")])),
    judged(
        "etc is a link, the user by name",
        lambda: image(
            good(),
            [link("etc", "srv"), file("srv/passwd", "worker:x:1000:100::/:\n"), file("srv/group", "")],
            User="worker",
        ),
    ),
    judged("etc is a file", lambda: image(good(), [file("etc", "x")])),
    judged("no etc at all", lambda: image(good(), [file("usr/lib/os-release", release())], below=bare())),
    judged("no etc at all, nothing in usr/lib", lambda: image(good(), below=bare())),
    cleared(
        "members in dev, proc and sys that nobody uses",
        lambda: image(good(), [folder("dev"), device("dev/null"), folder("proc"), folder("sys"), file("dev/x")]),
    ),
    judged(
        "program in dev that a link leads to", lambda: linked("/dev/b", program("dev/b/conda", programs.conda("4.3.0")))
    ),
    judged(
        "dockerenv is a program's folder",
        lambda: through("/.dockerenv", program(".dockerenv/conda", programs.conda("4.3.0"))),
    ),
)
CASES: tuple[Case, ...] = (*PATHS, *LINKS, *UNDER, *FILES, *MORE)
