"""What the kernel starts for a program that PATH reaches, and what a shell does where that fails."""

import struct
from functools import partial

from tests.corpus.builders import Image
from tests.corpus.case import Case, cleared, refused, unclear
from tests.corpus.runtimes import BOTH, OLD, started
from tests.corpus.systems import PREFIX, system_python
from tests.corpus.tarballs import (
    Entry,
    file,
    link,
    padded,
    pax,
    pax_records,
    program,
    whiteout,
)

EVIL = "/opt/evil/bin/python3.7"


def loaded(path: str, machine: int = 62, at: int = 120, size: int = 56, kind: int = 3) -> bytes:
    """An ELF program that is started by this loader, and says that it is Python 3.6.8.

    Args:
        path: the loader's.
        machine: number of the machine that it runs on.
        at: where the path is said to stand.
        size: how long a program header is said to be.
        kind: the program header's type, another than 3 for a program without a loader.
    """
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    fields = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, size, 1, 0, 0, 0)
    entry = struct.pack("<IIQQQQQQ", kind, 4, at, at, at, len(path) + 1, len(path) + 1, 1)
    return head + fields + entry + path.encode() + b"\x003.6.8\0"


def starting(python: bytes, *entries: Entry) -> Image:
    """The good prefix's Python is this, the bad prefix is next on PATH."""
    return started([whiteout(f"{PREFIX}/bin/python3.6")], [program(f"{PREFIX}/bin/python3.6", python), *entries])


def begun(line: str, *entries: Entry, path: str = BOTH) -> Image:
    """The good prefix's conda is a script with this first line, the bad prefix is next on PATH."""
    script = program(f"{PREFIX}/bin/conda", line)
    return started([whiteout(f"{PREFIX}/bin/conda")], [script, *entries], path=path)


def enved(argument: str) -> Image:
    """The good prefix's conda is started by env with this argument."""
    thing = program("bin/thing", loaded("", kind=1))
    return begun(f"#!/usr/bin/env {argument}\n", program("usr/bin/env", loaded("", kind=1)), thing)


def sparse(path: str, text: bytes, size: int) -> list[Entry]:
    """A program of this size in pax sparse format 1.0 of which only the beginning is stored."""
    folder, _, name = path.rpartition("/")
    found = {"GNU__sparse__major": "1", "GNU__sparse__minor": "0", "GNU__sparse__name": path}
    stored = padded(b"1\n0\n%d\n" % len(text)) + text
    return [
        pax(pax_records(**found, GNU__sparse__realsize=str(size))),
        program(f"{folder}/GNUSparseFile.0/{name}", stored),
    ]


def loader(**changes: int) -> Entry:
    """A loader in its place."""
    return program("lib/ld.so", loaded("", **{"kind": 1, **changes}))


CASES: list[Case] = [
    refused(
        "a conda whose interpreter is missing is passed over",
        lambda: started([whiteout(f"{PREFIX}/bin/conda")], [program(f"{PREFIX}/bin/conda", "#!/none/python -x\n")]),
        conda=("4.3.0",),
    ),
    refused(
        "a conda whose interpreter cannot be executed",
        lambda: started(
            [whiteout(f"{PREFIX}/bin/conda")], [program(f"{PREFIX}/bin/conda", "#! /none\n"), file("none")]
        ),
        conda=("4.3.0",),
    ),
    refused("a python whose loader is missing is passed over", lambda: starting(loaded("/lib/ld.so")), **OLD),
    cleared("a python whose loader is there", lambda: starting(loaded("/lib/ld.so"), loader())),
    refused(
        "a python whose loader is for another machine is passed over",
        lambda: starting(loaded("/lib/ld.so"), loader(machine=8)),
        **OLD,
    ),
    refused(
        "a python whose loader ends within its header is passed over",
        lambda: starting(loaded("/lib/ld.so"), program("lib/ld.so", "\x7fELF")),
        **OLD,
    ),
    refused(
        "a python whose loader has odd program headers is passed over",
        lambda: starting(loaded("/lib/ld.so"), loader(size=32)),
        **OLD,
    ),
    unclear(
        "a python whose loader is named beyond its end",
        lambda: starting(loaded("/lib/ld.so", at=5000), loader()),
        "the path of its loader",
    ),
    unclear(
        "a python whose loader has a path too long to keep",
        lambda: starting(loaded("/" + "lib/../" * 200 + "lib/ld.so")),
        "longer than",
    ),
    unclear(
        "a conda whose loader is named behind what is read",
        lambda: started(
            [whiteout(f"{PREFIX}/bin/conda")], [program(f"{PREFIX}/bin/conda", loaded("/none", at=5000) + bytes(5000))]
        ),
        "the path of its loader",
    ),
    unclear(
        "a sparse conda",
        lambda: started([whiteout(f"{PREFIX}/bin/conda")], sparse(f"{PREFIX}/bin/conda", b"#!/none/python\n", 9000)),
        "larger than",
    ),
    refused(
        "a conda without a record, and a good one elsewhere",
        lambda: started([whiteout("opt/evil/conda-meta")], path="/opt/evil/bin:/bin"),
        conda=("?",),
        python=("3.7.1",),
    ),
    refused(
        "a record whose program is a link into another prefix",
        lambda: started(
            [whiteout(f"{PREFIX}/bin/conda"), whiteout("opt/evil/conda-meta")],
            [link(f"{PREFIX}/bin/conda", "/opt/evil/bin/conda")],
            path="/usr/bin",
        ),
        conda=("?",),
        python=("?",),
    ),
    refused(
        "a conda that another prefix's Python starts",
        lambda: begun("#!/opt/evil/bin/python -E\n"),
        conda=("4.3.0",),
    ),
    refused(
        "a conda that a Python of a prefix without Conda starts",
        lambda: begun("#!/usr/bin/python3\n", *system_python()),
        conda=("?",),
    ),
    refused(
        "a conda that env starts by another prefix's Python",
        lambda: begun("#!/usr/bin/env python3.7\n", program("usr/bin/env", loaded("", kind=1))),
        conda=("4.3.0",),
    ),
    *(
        refused(f"a conda that env starts by another prefix's Python: {line}", partial(enved, line), conda=("4.3.0",))
        for line in (
            "-S python3.7",
            "-Spython3.7 -E",
            "-vS python3.7",
            "--split-string=python3.7 -E",
            "-S -u X python3.7",
            "-S --unset=X -v -- python3.7",
            "-S A=1 B=2 python3.7",
            "-S -i /opt/evil/bin/python3.7",
            "-S PATH=/bin /opt/evil/bin/python -E",
            "/opt/evil/bin/python",
        )
    ),
    *(
        cleared(f"a conda that env starts by its own prefix's Python: {line}", partial(enved, line))
        for line in ("-S python -E", "-S -u X A=1 python3.6", "-S -i /opt/miniconda/bin/python")
    ),
    *(
        unclear(f"a conda that env starts by what cannot be told: {line}", partial(enved, line), word)
        for line, word in (
            ("-S -i python", "another PATH"),
            ("-S -u PATH python", "another PATH"),
            ("-S PATH=/opt/evil/bin python", "another PATH"),
            ("-S PYTHONHOME=/opt/evil python", "sets PYTHONHOME"),
            ("-S ${X}python", "a way of its own"),
            ('-S "python3.7"', "a way of its own"),
            ("-S -C /opt/evil python", "the option -C"),
            ("-i python", "the script itself"),
            ("-u X python", "the script itself"),
            ("A=1 python", "the script itself"),
            ("-S A=1", "the script itself"),
            ("-S", "the script itself"),
            ("-S thing", "what env starts"),
        )
    ),
    refused(
        "a conda that a relative Python of another prefix starts",
        lambda: begun("#!opt/evil/bin/python\n"),
        conda=("4.3.0",),
    ),
    refused(
        "a conda that a Python by another name starts",
        lambda: begun("#!/usr/bin/env run\n", program("usr/bin/env", loaded("", kind=1)), link("bin/run", EVIL)),
        conda=("4.3.0",),
    ),
    refused(
        "a conda whose Python is a link into another prefix",
        lambda: begun("#!/opt/linked/bin/python\n", link("opt/linked/bin/python", EVIL)),
        conda=("4.3.0",),
    ),
    refused(
        "a conda whose Python is that of a virtual environment without Conda",
        lambda: begun(
            "#!/opt/linked/bin/python\n",
            link("opt/linked/bin/python", EVIL),
            file("opt/linked/pyvenv.cfg", "home = x\n"),
        ),
        conda=("?",),
    ),
    cleared(
        "a conda that env starts by its own prefix's Python",
        lambda: begun("#! /usr/bin/env python \n", program("usr/bin/env", loaded("", kind=1))),
    ),
    cleared(
        "a conda that its prefix's Python starts by a link to the prefix",
        lambda: begun("#!/c/bin/python\n", link("c", PREFIX)),
    ),
    refused(
        "a conda that PATH does not reach and another prefix's Python starts",
        lambda: begun("#!/opt/evil/bin/python\n", whiteout("opt/evil/conda-meta"), path="/usr/bin"),
        conda=("?",),
        python=("?",),
    ),
    refused(
        "an empty conda on PATH, beside its record",
        lambda: started([whiteout(f"{PREFIX}/bin/conda")], [program(f"{PREFIX}/bin/conda", b"")]),
        conda=("?",),
    ),
    refused(
        "a conda on PATH that is a link to an empty file",
        lambda: started(
            [whiteout(f"{PREFIX}/bin/conda")],
            [link(f"{PREFIX}/bin/conda", "none"), program(f"{PREFIX}/bin/none", b"")],
        ),
        conda=("?",),
    ),
    refused(
        "an empty conda that PATH does not reach",
        lambda: started([whiteout("opt/evil"), program(f"{PREFIX}/bin/conda", b"")], path="/usr/bin"),
        conda=("?",),
    ),
    refused(
        "a record without a program",
        lambda: started([whiteout("opt/evil"), file(f"{PREFIX}/bin/conda", "#!")], path="/usr/bin"),
        conda=("?",),
    ),
]
