"""Names that look like whiteouts or AUFS's own files and are ordinary to unpackers, and odd spellings of paths (I1)."""

from tests.corpus.tarballs import (
    Entry,
    file,
    folder,
    link,
    opaque,
    program,
    whiteout,
)
from tests.runtime import programs
from tests.runtime.images import (
    SYSTEM_PATH,
    Image,
    evil,
    good,
    image,
    release,
)
from tests.runtime.kinds.case import Case, cleared, judged, refused

DEBIAN = release("9", "debian")


def found_at(path: str) -> Image:
    """The prefix that does not pass lies at a path of an odd name, in front of the good one."""
    return image(good(), evil(path), path=f"/{path}/bin:/opt/good/bin:{SYSTEM_PATH}")


def renamed(name: str) -> Image:
    """A program of the prefix that does not pass is a member of an odd name that a link leads to."""
    odd = program(f"opt/evil/{name}", programs.conda("4.3.0"))
    others = [entry for entry in evil() if entry.path != "opt/evil/bin/conda"]
    linked = link("opt/evil/bin/conda", f"../{name}")
    return image(good(), [*others, odd, linked], path="/opt/evil/bin:/opt/good/bin")


def released(*spelled: Entry) -> Image:
    """An os-release under an odd spelling of its path, in a layer of its own."""
    return image(good(), list(spelled))


def beside(*entries: Entry) -> Image:
    """The good prefix, and a newer layer with odd members."""
    return image(good(), list(entries))


CASES: tuple[Case, ...] = (
    refused("infix in a directory's name", lambda: found_at("x.wh..wh.y")),
    refused("infix in a directory's name deeper down", lambda: found_at("opt/x.wh..wh.y")),
    refused("infix in two directories", lambda: found_at("a.wh..wh.b/c.wh..wh.")),
    judged("AUFS's prefix below the root", lambda: found_at("opt/.wh..wh.plnk")),
    judged("AUFS's prefix at the root", lambda: found_at(".wh..wh.plnk")),
    judged("whiteout's prefix as a directory of other members", lambda: found_at("opt/.wh.x")),
    refused("infix in the middle of a file's name", lambda: renamed("bin/a.wh..wh.b")),
    refused("opaque marker's name with something in front", lambda: renamed("x.wh..wh..opq")),
    judged("opaque marker's name with something behind", lambda: renamed(".wh..wh..opq.d")),
    judged("AUFS file in place of a program", lambda: renamed("bin/.wh..wh.conda")),
    judged("AUFS's own files and folders", lambda: beside(folder(".wh..wh.plnk"), file(".wh..wh.aufs"))),
    judged("AUFS's own file that hides nothing", lambda: beside(file("opt/good/.wh..wh.conda-meta"))),
    judged("AUFS's own file of a program's name", lambda: beside(file("opt/good/bin/.wh..wh.conda"))),
    judged("whiteout of a whiteout's name", lambda: beside(file("opt/.wh..wh.good"))),
    judged("whiteout without a name", lambda: beside(file("opt/.wh."))),
    judged("whiteout of the directory itself", lambda: beside(file("opt/good/.wh.."))),
    judged("whiteout of the directory's parent", lambda: beside(file("opt/good/.wh..."))),
    judged("whiteout of three dots", lambda: beside(file("opt/good/.wh...."))),
    judged("whiteout at the root of itself", lambda: beside(file(".wh.."))),
    cleared("dots and double slashes", lambda: beside(file("./opt//good/./x"), program(".//usr//bin/./y"))),
    judged("dots in a name", lambda: released(file("./usr//lib/./os-release", DEBIAN))),
    judged("a way back up in a name", lambda: released(file("usr/bin/../lib/os-release", DEBIAN))),
    judged("a way back up through what is missing", lambda: released(file("none/../usr/lib/os-release", DEBIAN))),
    judged("a way out of the root", lambda: released(file("../usr/lib/os-release", DEBIAN))),
    judged("absolute name", lambda: released(file("/usr/lib/os-release", DEBIAN))),
    judged("trailing slash on a file", lambda: released(file("usr/lib/os-release/", DEBIAN))),
    judged("trailing dot on a file", lambda: released(file("usr/lib/os-release/.", DEBIAN))),
    judged("directory of a file's type flag", lambda: image(good(), [file("opt/good/bin/", "")])),
    judged("root as a member", lambda: released(folder("./"), file("usr/lib/os-release", DEBIAN))),
    judged("root as a file", lambda: released(file("./", "x"))),
    cleared("name in two cases", lambda: beside(program("opt/good/bin/Conda", programs.conda("4.3.0")))),
    judged(
        "name of bytes that are no UTF-8",
        lambda: beside(program(b"opt/good/bin/python\xff", programs.python("3.7.1"))),
    ),
    judged("name with a line end", lambda: beside(program("opt/good/bin/conda\n", programs.conda("4.3.0")))),
    judged("name with a backslash", lambda: beside(program("opt\\good\\bin\\conda", programs.conda("4.3.0")))),
    refused("whiteout of a program", lambda: image(evil(), good(), [whiteout("opt/good/bin/conda")])),
    refused("opaque directory of programs", lambda: image(evil(), good(), [opaque("opt/good/bin")])),
)
