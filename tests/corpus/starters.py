"""What starts a program: interpreters of scripts and loaders, read as the kernel reads them (execve(2))."""

import itertools
import struct

from tests.corpus.case import Case, cleared, refused, unclear
from tests.corpus.runtimes import OLD, started
from tests.corpus.systems import PREFIX, elf
from tests.corpus.tarballs import Entry, file, program, whiteout


def loaded(path: str) -> bytes:
    """An ELF program that is started by this loader, and says that it is Python 3.6.8."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    fields = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    entry = struct.pack("<IIQQQQQQ", 3, 4, 120, 120, 120, len(path) + 1, len(path) + 1, 1)
    return head + fields + entry + path.encode() + b"\x003.6.8\0"


def chain(scripts: int) -> list[Entry]:
    """So many scripts, conda first, each the interpreter of the one before; the last one's is a program."""
    names = [f"{PREFIX}/bin/conda", *(f"opt/{number}/sh" for number in range(scripts))]
    made = [program(name, f"#!/{then}\n") for name, then in itertools.pairwise(names)]
    return [*made, program(names[-1], elf())]


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
    refused(
        "a python whose loader is missing is passed over",
        lambda: started(
            [whiteout(f"{PREFIX}/bin/python3.6")], [program(f"{PREFIX}/bin/python3.6", loaded("/lib/ld.so"))]
        ),
        **OLD,
    ),
    cleared(
        "a python whose loader is there",
        lambda: started(
            [whiteout(f"{PREFIX}/bin/python3.6")],
            [program(f"{PREFIX}/bin/python3.6", loaded("/lib/ld.so")), program("lib/ld.so", elf())],
        ),
    ),
    refused(
        "a python whose loader is a text is passed over",
        lambda: started(
            [whiteout(f"{PREFIX}/bin/python3.6")],
            [program(f"{PREFIX}/bin/python3.6", loaded("/lib/ld.so")), program("lib/ld.so", "#!/bin/sh\n")],
        ),
        **OLD,
    ),
    cleared(
        "a conda that is the first of five scripts",
        lambda: started([whiteout(f"{PREFIX}/bin/conda")], chain(5)),
    ),
    refused(
        "a conda that is the first of six scripts is passed over",
        lambda: started([whiteout(f"{PREFIX}/bin/conda")], chain(6)),
        conda=("4.3.0",),
    ),
    cleared(
        "a conda whose interpreter is a text, which a shell reads",
        lambda: started(
            [whiteout(f"{PREFIX}/bin/conda")],
            [program(f"{PREFIX}/bin/conda", "#!/opt/sh\n"), program("opt/sh", "#!\necho\n")],
        ),
    ),
    unclear(
        "a conda whose interpreter has a name that nobody reads",
        lambda: started(
            [whiteout(f"{PREFIX}/bin/conda")],
            [program(f"{PREFIX}/bin/conda", "#!/opt/launch\n"), program("opt/launch", elf())],
        ),
        "its name gave no reason to",
    ),
    refused(
        "a conda without a record, and a good one elsewhere",
        lambda: started([whiteout("opt/evil/conda-meta")], path="/opt/evil/bin:/bin"),
        conda=("?",),
        python=("3.7.1",),
    ),
    refused(
        "a record without a program",
        lambda: started([whiteout("opt/evil"), file(f"{PREFIX}/bin/conda", "#!")], path="/usr/bin"),
        conda=("?",),
    ),
]
