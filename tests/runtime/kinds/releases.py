"""Files of the operating system's name and version, as shells read them and as their lines say."""

from tests.corpus.tarballs import file, whiteout
from tests.runtime.images import Image, good, image
from tests.runtime.kinds.case import Case, cleared, judged, refused

UBUNTU = "ID=ubuntu\nVERSION_ID=16.04\n"
DEBIAN = "ID=debian\nVERSION_ID=9\n"


def released(text: str | bytes) -> Image:
    """The good prefix under a system of this text."""
    return image(good(), [file("usr/lib/os-release", text)])


def lsb(text: str) -> Image:
    """The good prefix, and only an lsb-release."""
    gone = [whiteout("etc/os-release"), whiteout("usr/lib/os-release")]
    return image(good(), [*gone, file("etc/lsb-release", text)])


CASES: tuple[Case, ...] = (
    cleared("plain words", lambda: released(UBUNTU)),
    cleared("single quotes", lambda: released("ID='ubuntu'\nVERSION_ID='16.04'\n")),
    cleared("carriage returns", lambda: released(UBUNTU.replace("\n", "\r\n"))),
    cleared("no line end", lambda: released(UBUNTU.strip())),
    cleared("blanks in front", lambda: released("  ID=ubuntu\n\tVERSION_ID=16.04\n")),
    cleared("comments with quotes", lambda: released(f"# it's \"x\n{UBUNTU}# `\n")),
    cleared("words without quotes", lambda: released(f"NAME=My Linux\n{UBUNTU}")),
    cleared("version twice, the same", lambda: released(f"{UBUNTU}VERSION_ID=16.04\n")),
    cleared("the last one counts", lambda: released(f"{DEBIAN}{UBUNTU}")),
    refused("the last one is another", lambda: released(f"{UBUNTU}{DEBIAN}")),
    refused("another system within a value of several lines", lambda: released(f'{DEBIAN}NAME="\n{UBUNTU}"\n')),
    refused("the same in single quotes", lambda: released(f"{DEBIAN}NAME='\n{UBUNTU}'\n")),
    refused("a line that goes on", lambda: released(f"{DEBIAN}A=\\\nID=ubuntu\nA=\\\nVERSION_ID=16.04\n")),
    refused("two assignments in a line", lambda: released(f"{UBUNTU}NAME=x VERSION_ID=9 ID=debian\n")),
    refused("a semicolon", lambda: released(f"{UBUNTU}NAME=x;VERSION_ID=9;ID=debian\n")),
    refused("export", lambda: released(f"{UBUNTU}export ID=debian VERSION_ID=9\n")),
    refused("unset", lambda: released(f"{UBUNTU}unset ID\n")),
    refused("eval", lambda: released(f"{UBUNTU}eval ID=debian\n")),
    refused("eval in quotes", lambda: released(f"{UBUNTU}'ev'al ID=debian\n")),
    refused("an exit before the last lines", lambda: released(f"{DEBIAN}exit\n{UBUNTU}")),
    refused("a function", lambda: released(f"{DEBIAN}x() {{\n{UBUNTU}}}\n")),
    refused("a condition", lambda: released(f"{DEBIAN}if false\nthen\n{UBUNTU}fi\n")),
    refused("a here document", lambda: released(f"{DEBIAN}: <<E\n{UBUNTU}E\n")),
    refused("an expansion that assigns", lambda: released(f"{UBUNTU}NAME=${{A:=x}} ID=debian\n")),
    refused("a quote without an end", lambda: released(f"{UBUNTU}NAME='x\n")),
    refused("a command that reads lines", lambda: released(f"{UBUNTU}read ID </dev/null\n")),
    refused("a NUL in a name", lambda: released(f"{UBUNTU}I\0D=debian\n")),
    refused("a word that ends what is not begun", lambda: released(f"{DEBIAN}fi\n{UBUNTU}")),
    refused("an element of a list", lambda: released(f"{UBUNTU}ID[0]=debian\n")),
    refused("something to append", lambda: released(f"{UBUNTU}VERSION_ID+=1\n")),
    judged("a byte order mark", lambda: released(f"\ufeff{UBUNTU}")),
    judged("bytes that are no UTF-8", lambda: released(b"NAME=\xff\xfe\nID=ubuntu\nVERSION_ID=16.04\n")),
    judged("a vertical tab", lambda: released("ID=ubuntu\nVERSION_ID=16.04\x0b\n")),
    judged("a form feed in front", lambda: released("ID=debian\n\x0cID=ubuntu\nVERSION_ID=16.04\n")),
    judged("a line separator of Unicode", lambda: released("ID=debian\u2028ID=ubuntu\nVERSION_ID=16.04\n")),
    judged(
        "a no-break space in front", lambda: released("ID=debian\nVERSION_ID=9\n\u00a0ID=ubuntu\nVERSION_ID=16.04\n")
    ),
    judged("small letters", lambda: released("id=ubuntu\nversion_id=16.04\n")),
    judged("capitals in the name", lambda: released("ID=Ubuntu\nVERSION_ID=16.04\n")),
    judged("only lsb-release", lambda: lsb("DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=16.04\n")),
    judged(
        "lsb-release that a shell reads otherwise",
        lambda: lsb("DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=16.04\nX=y DISTRIB_RELEASE=9\n"),
    ),
    judged("os-release's words in lsb-release", lambda: lsb(UBUNTU)),
)
