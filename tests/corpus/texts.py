"""Images whose facts depend on how a text is read: os-release, lsb-release and Conda's records."""

from tests.corpus.builders import Image, image
from tests.corpus.case import Case, cleared, good, refused
from tests.corpus.systems import PREFIX, lsb_release, miniconda, os_release, record
from tests.corpus.tarballs import file, folder

NONE: tuple[str, ...] = ()


def release(text: str | bytes) -> Image:
    """An image with this os-release."""
    return image([file("etc/os-release", text), *miniconda()])


def lsb(text: str | bytes) -> Image:
    """An image with this lsb-release and no os-release."""
    return image([file("etc/lsb-release", text), *miniconda()])


def written(text: str | bytes, name: str = "conda-4.5.12-0.json") -> Image:
    """An image whose record of conda is this text."""
    other = [entry for entry in good() if "conda-meta/conda-" not in entry.path]
    return image([*other, file(f"{PREFIX}/conda-meta/{name}", text)])


def ubuntu_with(version_line: str) -> Image:
    """An os-release of Ubuntu whose version line is this."""
    return release(f"NAME=Ubuntu\nID=ubuntu\n{version_line}\n")


GOOD_RECORD = record("conda", "4.5.12")

RELEASES: list[Case] = [
    cleared("single quotes", lambda: release(os_release(quote="'"))),
    cleared("no quotes", lambda: release(os_release(quote=""))),
    cleared("windows line ends", lambda: release(os_release().replace("\n", "\r\n"))),
    cleared("blanks around lines", lambda: release(os_release().replace("\n", " \t\n  "))),
    cleared("comments and empty lines", lambda: release("# ID=debian\n\n#\n" + os_release() + "# VERSION_ID=1.0\n")),
    cleared("no line end at the end", lambda: release('ID=ubuntu\nVERSION_ID="16.04"')),
    cleared("bytes that are no UTF-8", lambda: release(b"PRETTY_NAME=\xff\xfe\n" + os_release().encode())),
    cleared("the last assignment counts", lambda: release("ID=debian\nVERSION_ID=9\n" + os_release())),
    refused("the last assignment is bad", lambda: release(os_release() + "ID=debian\n"), os="debian 16.04"),
    refused("the last version is bad", lambda: release(os_release() + 'VERSION_ID="14.04"\n'), os="ubuntu 14.04"),
    cleared("version in the older form", lambda: ubuntu_with('VERSION_ID="16.04.7"'), os="ubuntu 16.04.7"),
    refused("no version", lambda: ubuntu_with("VERSION_CODENAME=xenial"), os="ubuntu ?", says="names no VERSION_ID"),
    refused("an empty version", lambda: ubuntu_with('VERSION_ID=""'), os="ubuntu ?", says="is empty"),
    refused("a version of letters", lambda: ubuntu_with("VERSION_ID=xenial"), os="ubuntu xenial", says="a number"),
    refused("a version without a dot", lambda: ubuntu_with("VERSION_ID=16"), os="ubuntu 16"),
    refused("a version with LTS", lambda: ubuntu_with('VERSION_ID="16.04 LTS"'), os="ubuntu 16.04 LTS"),
    refused("a version in other digits", lambda: ubuntu_with("VERSION_ID=١٦.٠٤"), os="ubuntu ١٦.٠٤"),
    refused("a version with a sign", lambda: ubuntu_with("VERSION_ID=+16.04"), os="ubuntu +16.04"),
    refused("a version that ends with a dot", lambda: ubuntu_with("VERSION_ID=16.04."), os="ubuntu 16.04."),
    refused("an open quote", lambda: ubuntu_with('VERSION_ID="16.04'), os='ubuntu "16.04'),
    refused("quotes that do not match", lambda: ubuntu_with("VERSION_ID=\"16.04'"), os="ubuntu \"16.04'"),
    refused("text behind the quotes", lambda: ubuntu_with('VERSION_ID="16.04" # x'), os='ubuntu "16.04" # x'),
    refused("a variable", lambda: ubuntu_with("VERSION_ID=$V"), os="ubuntu $V"),
    refused("a command", lambda: ubuntu_with("VERSION_ID=$(echo 16.04)"), os="ubuntu $(echo 16.04)"),
    cleared("escapes in double quotes", lambda: release('ID=ubuntu\nVERSION_ID="16.04"\nPRETTY_NAME="a\\"b\\$c"\n')),
    refused(
        "a version within a value of several lines",
        lambda: release('ID=debian\nVERSION_ID=9\nNAME="\nID=ubuntu\nVERSION_ID=16.04\n"\n'),
        os="? ?",
        says="a shell reads 'debian'",
    ),
    refused(
        "a second assignment in a line",
        lambda: release("ID=ubuntu\nVERSION_ID=16.04\nNAME=x VERSION_ID=9\n"),
        os="? ?",
        says="a shell reads '9'",
    ),
    refused(
        "a line that goes on",
        lambda: release("ID=ubuntu\nVERSION_ID=9\nNAME=\\\nVERSION_ID=16.04\n"),
        os="? ?",
        says="a shell reads '9'",
    ),
    refused(
        "a NUL in a name, which shells leave out",
        lambda: release("ID=ubuntu\nVERSION_ID=16.04\nI\0D=debian\n"),
        os="? ?",
        says="NUL",
    ),
    refused(
        "a command that unsets the version",
        lambda: release("ID=ubuntu\nVERSION_ID=16.04\nunset VERSION_ID\n"),
        os="? ?",
        says="'unset'",
    ),
    cleared("a word behind a name without quotes", lambda: release("ID=ubuntu\nVERSION_ID=16.04\nNAME=My Linux\n")),
    cleared("a comment with an apostrophe", lambda: release("# it's\nID=ubuntu\nVERSION_ID=16.04\n")),
    refused("blanks around the equals sign", lambda: ubuntu_with("VERSION_ID = 16.04"), os="ubuntu ?"),
    refused("export in front", lambda: ubuntu_with("export VERSION_ID=16.04"), os="ubuntu ?"),
    refused("a key in lower case", lambda: ubuntu_with("version_id=16.04"), os="ubuntu ?"),
    refused("ID_LIKE is not ID", lambda: release('ID_LIKE=ubuntu\nVERSION_ID="16.04"\n'), os="? 16.04"),
    refused("NAME is not ID", lambda: release('NAME="Ubuntu"\nVERSION_ID="16.04"\n'), os="? 16.04"),
    refused(
        "UBUNTU_CODENAME is not ID",
        lambda: release('ID=elementary\nUBUNTU_CODENAME=xenial\nVERSION_ID="16.04"\n'),
        os="elementary 16.04",
    ),
    refused("an ID with a blank", lambda: release('ID="ubuntu "\nVERSION_ID="16.04"\n'), os="ubuntu  16.04"),
    refused(
        "quotes glued together",
        lambda: release("ID='ubu''ntu'\nVERSION_ID=16.04\n"),
        os="'ubu''ntu' 16.04",
    ),
    refused(
        "an empty os-release is final",
        lambda: image(
            [
                file("etc/os-release"),
                file("usr/lib/os-release", os_release()),
                file("etc/lsb-release", lsb_release()),
                *miniconda(),
            ]
        ),
        os="? ?",
    ),
    refused(
        "a bad os-release in /etc is final",
        lambda: image(
            [
                file("etc/os-release", os_release("debian", "9.1")),
                file("usr/lib/os-release", os_release()),
                *miniconda(),
            ]
        ),
        os="debian 9.1",
    ),
    refused(
        "an os-release of more than 64 KiB",
        lambda: release("#" * 70_000 + "\n" + os_release()),
        os="? ?",
        says="larger",
    ),
    refused(
        "a value of two thousand digits", lambda: ubuntu_with("VERSION_ID=16." + "4" * 2000), os="? ?", says="longer"
    ),
    refused("a NUL inside", lambda: ubuntu_with("VERSION_ID=16.04\0"), os="ubuntu 16.04\0"),
]

LSB: list[Case] = [
    cleared("lsb-release with quotes", lambda: lsb('DISTRIB_ID="Ubuntu"\nDISTRIB_RELEASE="16.04"\n')),
    refused("lsb-release of Debian", lambda: lsb(lsb_release("Debian", "9.1")), os="Debian 9.1"),
    refused("lsb-release in lower case", lambda: lsb(lsb_release("UBUNTU", "16.04")), os="UBUNTU 16.04"),
    refused("lsb-release of 14.04", lambda: lsb(lsb_release("Ubuntu", "14.04")), os="ubuntu 14.04"),
    refused("lsb-release without a version", lambda: lsb("DISTRIB_ID=Ubuntu\n"), os="ubuntu ?"),
    refused("lsb-release with os-release's keys", lambda: lsb(os_release()), os="? ?"),
    cleared(
        "os-release before lsb-release",
        lambda: image(
            [file("etc/os-release", os_release()), file("etc/lsb-release", lsb_release("Debian", "9.1")), *miniconda()]
        ),
    ),
    cleared(
        "a directory os-release in both places",
        lambda: image(
            [
                folder("etc/os-release"),
                folder("usr/lib/os-release"),
                file("etc/lsb-release", lsb_release()),
                *miniconda(),
            ]
        ),
    ),
]

RECORDS: list[Case] = [
    cleared("a record in one line", lambda: written('{"name":"conda","version":"4.5.12","build":"0"}')),
    cleared("a record with blanks around", lambda: written(f" \n{GOOD_RECORD}\n\n")),
    cleared(
        "a version with a local part",
        lambda: written(record("conda", "4.6.0+1"), "conda-4.6.0+1-0.json"),
        conda=("4.6.0+1",),
    ),
    cleared(
        "a development version after 4.5",
        lambda: written(record("conda", "4.6.0b0"), "conda-4.6.0b0-0.json"),
        conda=("4.6.0b0",),
    ),
    refused("a record that is empty", lambda: written(""), conda=("?",), says="broken"),
    refused("a record that is cut", lambda: written(GOOD_RECORD[:-20]), conda=("?",)),
    refused("a record in Python's syntax", lambda: written("{'name': 'conda'}"), conda=("?",)),
    refused("a record that is no UTF-8", lambda: written(GOOD_RECORD.encode().replace(b"main", b"\xff")), conda=("?",)),
    refused("a record with a byte order mark", lambda: written("\ufeff" + GOOD_RECORD), conda=("?",)),
    refused("a record that is a list", lambda: written(f"[{GOOD_RECORD}]"), conda=("?",)),
    refused("a record without a version", lambda: written('{"name": "conda", "build": "0"}'), conda=("?",)),
    refused(
        "a record whose version is a number",
        lambda: written('{"name":"conda","version":4.5,"build":"0"}'),
        conda=("?",),
    ),
    refused(
        "a record with two versions",
        lambda: written(GOOD_RECORD.replace("{", '{"version":"9.9.9",', 1)),
        conda=("?",),
        says="twice",
    ),
    refused("a record nested without end", lambda: written("[" * 50_000), conda=("?",)),
    refused(
        "a broken record beside a good one",
        lambda: image([*good(), file(f"{PREFIX}/conda-meta/conda-4.6.14-0.json", "{")]),
        conda=("4.5.12", "?"),
    ),
    refused(
        "a version that is only letters",
        lambda: written(record("conda", "latest"), "conda-latest-0.json"),
        conda=("latest",),
    ),
]

CASES: list[Case] = [*RELEASES, *LSB, *RECORDS]
