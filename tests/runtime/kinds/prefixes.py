"""Several prefixes, virtual environments, shims and alternatives: whose conda and Python it is that PATH reaches."""

from collections.abc import Sequence

from tests.corpus.tarballs import Entry, file, folder, link, program
from tests.runtime import programs
from tests.runtime.images import (
    PATH,
    SYSTEM_PATH,
    Image,
    evil,
    good,
    image,
    record,
)
from tests.runtime.kinds.case import Case, cleared, refused

CONFIG = "home = /opt/good/bin\nversion = 3.6.5\n"


def first(*entries: Entry, lower: Sequence[Entry] = ()) -> Image:
    """Members in a folder of their own in front of both prefixes."""
    return image([*good(), *lower], evil(), [folder("first"), folder("first/bin"), *entries], path=f"/first/bin:{PATH}")


def system(*entries: Entry) -> Image:
    """Members in the system's folders, no prefix on PATH."""
    return image(good(), evil(), list(entries), path=SYSTEM_PATH)


def shim(name: str, words: str = "") -> Entry:
    """What pyenv puts in front."""
    return program(f"root/.pyenv/shims/{name}", programs.script(words or f"{name} of pyenv"))


def _moved() -> Image:
    """The good prefix was copied from a place where another one is: its conda names that one's Python."""
    script = program("opt/good/bin/conda", programs.script("conda 4.5.12", "#!/opt/evil/bin/python"))
    imports = program("opt/evil/bin/python", programs.elf("conda 4.3.0\n", "3.7.1"))
    lower = [entry for entry in evil() if entry.path != imports.path]
    return image([*lower, imports], [script if entry.path == script.path else entry for entry in good()])


CASES: tuple[Case, ...] = (
    cleared(
        "conda and python by links into the good prefix", lambda: first(_to("conda", "good"), _to("python", "good"))
    ),
    refused("conda by a link into the other prefix", lambda: first(_to("conda", "evil"))),
    refused("python by a link into the other prefix", lambda: first(_to("python", "evil"))),
    refused(
        "conda of the good prefix by a link in the other's bin",
        lambda: image(
            good(),
            [*_without("conda"), link("opt/evil/bin/conda", "../../good/bin/conda")],
            path=f"/opt/evil/bin:{PATH}",
        ),
    ),
    refused(
        "python of the good prefix by a link in the other's bin",
        lambda: image(
            good(),
            [*_without("python"), link("opt/evil/bin/python", "/opt/good/bin/python")],
            path=f"/opt/evil/bin:{PATH}",
        ),
    ),
    refused("conda of the good prefix that the other's Python starts", _moved),
    cleared(
        "the other's bin is a link to the good one's",
        lambda: image(
            good(),
            [folder("opt/evil"), link("opt/evil/bin", "../good/bin"), record("conda", "4.3.0", "opt/evil")],
            path="/opt/evil/bin",
        ),
    ),
    refused(
        "the good one's bin is a link to the other's",
        lambda: image(
            evil(),
            [folder("opt/good"), link("opt/good/bin", "../evil/bin"), record("conda", "4.5.12", "opt/good")],
            path="/opt/good/bin",
        ),
    ),
    cleared("a link to the good prefix", lambda: image(good(), [link("conda", "opt/good")], path="/conda/bin")),
    cleared(
        "bin of the good prefix is elsewhere, its own records with it",
        lambda: image(good("srv/real"), [link("opt", "srv"), link("srv/good", "real")], path="/opt/good/bin"),
    ),
    refused(
        "bin of a prefix is elsewhere without its records",
        lambda: image(
            [e for e in good("srv/real") if "meta" not in e.path],
            [
                folder("opt/good"),
                link("opt/good/bin", "/srv/real/bin"),
                record("conda", "4.5.12", "opt/good"),
                record("python", "3.6.5", "opt/good"),
            ],
            path="/opt/good/bin",
        ),
    ),
    cleared(
        "a prefix at the root",
        lambda: image(
            [
                program("bin/conda", programs.conda("4.5.12")),
                program("bin/python3.6", programs.python("3.6.5")),
                link("bin/python", "python3.6"),
                record("conda", "4.5.12", "."),
            ],
            path="/bin",
        ),
    ),
    cleared("a prefix at usr", lambda: image(good("usr"), evil(), path=f"/usr/bin:{PATH}")),
    cleared("a prefix at usr through a merged bin", lambda: image(good("usr"), [link("b", "usr/bin")], path="/b")),
    cleared(
        "a virtual environment that is a copy",
        lambda: first(program("first/bin/python", programs.python("3.6.5")), file("first/pyvenv.cfg", CONFIG)),
    ),
    refused(
        "a virtual environment that is a copy of another version",
        lambda: first(program("first/bin/python", programs.python("3.7.1")), file("first/pyvenv.cfg", CONFIG)),
    ),
    refused(
        "a virtual environment by a link to the other Python",
        lambda: first(link("first/bin/python", "/opt/evil/bin/python3.7"), file("first/pyvenv.cfg", CONFIG)),
    ),
    cleared(
        "a virtual environment without its home",
        lambda: first(link("first/bin/python", "/usr/bin/python3.6"), file("first/pyvenv.cfg", CONFIG)),
    ),
    cleared(
        "a virtual environment by a chain of links",
        lambda: first(
            link("first/bin/python", "python3"),
            link("first/bin/python3", "/opt/good/bin/python"),
            file("first/pyvenv.cfg", CONFIG),
        ),
    ),
    refused(
        "shims of pyenv first",
        lambda: image(good(), [shim("python", "Python 3.7.1")], path=f"/root/.pyenv/shims:{PATH}"),
    ),
    cleared(
        "shims of pyenv behind the good prefix",
        lambda: image(good(), [shim("python", "Python 3.7.1")], path=f"{PATH}:/root/.pyenv/shims"),
    ),
    cleared(
        "a shim of pyenv that only root can see",
        lambda: image(
            good(),
            [folder("root").but(mode=0o700), shim("python", "Python 3.7.1")],
            path=f"/root/.pyenv/shims:{PATH}",
            User="worker",
        ),
    ),
    cleared(
        "alternatives",
        lambda: system(
            program("usr/bin/python3.5", programs.python("3.5.2")),
            link("usr/bin/python", "/etc/alternatives/python"),
            link("etc/alternatives/python", "/usr/bin/python3.5"),
            link("usr/bin/conda", "/opt/good/bin/conda"),
        ),
    ),
    cleared(
        "alternatives to the good prefix",
        lambda: system(
            link("usr/bin/python", "/etc/alternatives/python"),
            link("etc/alternatives/python", "/opt/good/bin/python"),
            link("usr/bin/conda", "/opt/good/bin/conda"),
        ),
    ),
    refused(
        "alternatives to the other prefix",
        lambda: system(
            link("usr/bin/python", "/etc/alternatives/python"),
            link("etc/alternatives/python", "/opt/evil/bin/python"),
            link("usr/bin/conda", "/opt/good/bin/conda"),
        ),
    ),
    refused(
        "no conda on PATH, a prefix's conda is another's",
        lambda: image(
            [e for e in good() if not e.path.endswith("bin/conda")],
            [link("opt/good/bin/conda", "/opt/evil/bin/conda")],
            [e for e in evil() if "conda-meta" not in e.path and "python" not in e.path],
            path=SYSTEM_PATH,
        ),
    ),
    refused(
        "no conda on PATH, condabin of a prefix is another's",
        lambda: image(
            [e for e in good() if not e.path.endswith("bin/conda")],
            [link("opt/good/condabin", "/opt/evil/bin")],
            [e for e in evil() if "conda-meta" not in e.path and "python" not in e.path],
            path=SYSTEM_PATH,
        ),
    ),
    refused(
        "a wrapper that is no part of a prefix",
        lambda: first(program("first/bin/conda", programs.script("conda 4.5.12"))),
    ),
    cleared(
        "a wrapper beside a record of its own folder",
        lambda: first(program("first/bin/conda", programs.elf("conda 4.6.1\n")), record("conda", "4.6.1", "first")),
    ),
)


def _to(name: str, prefix: str) -> Entry:
    return link(f"first/bin/{name}", f"/opt/{prefix}/bin/{name}")


def _without(name: str) -> list[Entry]:
    return [entry for entry in evil() if entry.path != f"opt/evil/bin/{name}"]
