"""What the kernel starts for a program: first lines of scripts, interpreters and loaders, there, odd or missing.

A shell goes on along PATH where execve(2) fails, and reads a text itself where it fails with ENOEXEC.
"""

import struct
from collections.abc import Mapping
from typing import Any

from tests.corpus.tarballs import (
    Entry,
    file,
    folder,
    link,
    padded,
    program,
)
from tests.runtime import programs
from tests.runtime.images import (
    PATH,
    SYSTEM_PATH,
    Image,
    attributed,
    evil,
    good,
    image,
)
from tests.runtime.kinds.case import Case, cleared, judged, refused, unclear

CONDA, PYTHON = "opt/good/bin/conda", "opt/good/bin/python3.6"
SAID = "conda 4.5.12"
LOADER = "/lib/ld.so"
_MACHINE, _ENTRIES, _ENTRY_SIZE, _TABLE = 18, 56, 54, 64
_FIRST = 64  # offset of the first program header, which is PT_INTERP where there is a loader


def conda(body: bytes, *entries: Entry, **config: Any) -> Image:
    """The good prefix's conda is this, the prefix that does not pass is next on PATH."""
    made = [entry.but(body=body) if entry.path == CONDA else entry for entry in good()]
    return image(evil(), [*made, *entries], **config)


def begun(first: str, *entries: Entry, **config: Any) -> Image:
    """The same as a script under this first line, whatever interpreter that names."""
    return conda(programs.script(SAID, first), *entries, **config)


def python(body: bytes, *entries: Entry, **config: Any) -> Image:
    """The good prefix's Python is this, the prefix that does not pass is next on PATH."""
    made = [entry.but(body=body) if entry.path == PYTHON else entry for entry in good()]
    return image(evil(), [*made, *entries], **config)


def loaded(*entries: Entry, by: str = LOADER, change: Mapping[int, bytes] | None = None, **config: Any) -> Image:
    """The good prefix's Python has a loader."""
    return python(programs.python("3.6.5", starter=by, change=change), *entries, **config)


def ready(*changed: Entry, change: Mapping[int, bytes] | None = None) -> tuple[Entry, ...]:
    """A loader in its place."""
    return (program(LOADER.lstrip("/"), programs.loader(change=change)), *changed)


def chain(count: int) -> Image:
    """So many interpreters in a row behind conda, the last of them a shell."""
    made = [program(f"i{n}/sh", programs.script(SAID, f"#!/i{n + 1}/sh")) for n in range(1, count - 1)]
    made.append(program(f"i{count - 1}/sh", programs.script(SAID)))
    return begun("#!/i1/sh", *made)


def first_on_path(*entries: Entry, behind: str = PATH) -> Image:
    """Something in the first directory of PATH, both prefixes behind it."""
    return image(good(), evil(), [folder("first"), *entries], path=f"/first:{behind}")


def far(offset: int) -> bytes:
    """An executable whose loader's path lies so far in the file."""
    made = programs.elf(f"{SAID}\n", starter="/none/ld.so", change={_FIRST + 8: struct.pack("<Q", offset)})
    return made.ljust(offset, b"\0") + b"/none/ld.so\0"


def sparse(text: bytes, size: int) -> Image:
    """The good prefix's conda is a text and a hole behind it (pax sparse format 1.0)."""
    keys = {"GNU__sparse__major": "1", "GNU__sparse__minor": "0", "GNU__sparse__name": CONDA}
    stored = padded(b"1\n0\n%d\n" % len(text)) + text
    member = attributed(program("opt/good/bin/GNUSparseFile.0/conda", stored), **keys, GNU__sparse__realsize=str(size))
    return image(evil(), [item for entry in good() for item in (member if entry.path == CONDA else [entry])])


def many_headers(count: int) -> bytes:
    """An executable with so many program headers, of which the last names a loader that is not there."""
    front = _TABLE + 56 * count
    name = b"/none/ld.so\0"
    code = programs.elf(f"{SAID}\n")[120:]
    size = front + len(name) + len(code)
    origin = 0x400000
    head = bytearray(programs.elf("")[:64])
    head[24:32] = struct.pack("<Q", origin + front + len(name))
    head[_ENTRIES : _ENTRIES + 2] = struct.pack("<H", count)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, origin, origin, size, size, 0x1000)
    named = struct.pack("<IIQQQQQQ", 3, 4, front, 0, 0, len(name), len(name), 1)
    return bytes(head) + load + bytes(56 * (count - 2)) + named + name + code


OTHER_MACHINE = {_MACHINE: struct.pack("<H", 8)}
LINES: tuple[Case, ...] = (
    cleared("blank before the interpreter", lambda: begun("#! /bin/sh")),
    cleared("tabs around the interpreter", lambda: begun("#!\t\t/bin/sh\t")),
    cleared("an option behind the interpreter", lambda: begun("#!/bin/sh -e")),
    cleared("NUL behind the interpreter", lambda: begun("#!/bin/sh\0/none")),
    cleared("nothing behind #!, which the shell reads itself", lambda: begun("#!")),
    cleared("blanks behind #!", lambda: begun("#! \t ")),
    cleared("300 blanks behind #!", lambda: begun("#!" + " " * 300 + "/none/sh")),
    refused("NUL before the interpreter", lambda: begun("#!\0/bin/sh")),
    refused("NUL behind an interpreter that is missing", lambda: begun("#!/none/sh\0/bin/sh")),
    refused("carriage return behind the interpreter", lambda: begun("#!/bin/sh\r")),
    refused("interpreter that is missing", lambda: begun("#!/none/sh")),
    refused("interpreter in quotes", lambda: begun('#!"/bin/sh"')),
    refused("interpreter with a slash at its end", lambda: begun("#!/bin/sh/")),
    refused("interpreter of 253 bytes that is missing", lambda: begun("#!/none/" + "x" * 247)),
    cleared("interpreter of 254 bytes that is missing", lambda: begun("#!/none/" + "x" * 248)),
    cleared("interpreter of 254 bytes with many slashes", lambda: begun("#!" + "/" * 248 + "none/x")),
    refused("interpreter of 253 bytes and a blank", lambda: begun("#!/none/" + "x" * 247 + " x" * 50)),
    cleared("an option beyond 256 bytes", lambda: begun("#!/bin/sh " + " " * 300)),
    cleared("#! in the second line", lambda: begun("\n#!/none/sh")),
    cleared("a byte order mark before #!", lambda: begun("\ufeff#!/none/sh")),
)
INTERPRETERS: tuple[Case, ...] = (
    refused("interpreter without x", lambda: begun("#!/i/sh", file("i/sh", programs.elf(f"{SAID}\n")))),
    refused("interpreter that is a directory", lambda: begun("#!/i/sh", folder("i/sh"))),
    refused("interpreter that is a link to nothing", lambda: begun("#!/i/sh", link("i/sh", "none"))),
    refused("interpreter that is a link to itself", lambda: begun("#!/i/sh", link("i/sh", "sh"))),
    cleared("interpreter behind links", lambda: begun("#!/i/sh", link("i", "j"), link("j/sh", "/bin/sh"))),
    unclear("interpreter of a name of its own", lambda: begun("#!/i/own", program("i/own", programs.elf(f"{SAID}\n")))),
    unclear("interpreter that a runtime mounts", lambda: begun("#!/proc/self/exe")),
    cleared(
        "interpreter named as a Python", lambda: begun("#!/i/python", program("i/python", programs.elf(f"{SAID}\n")))
    ),
    cleared("relative interpreter", lambda: begun("#!bin/sh")),
    cleared("relative interpreter from WorkingDir", lambda: begun("#!sh", WorkingDir="/bin")),
    refused("relative interpreter that WorkingDir has not", lambda: begun("#!bin/sh", WorkingDir="/opt")),
    refused("relative interpreter, WorkingDir missing", lambda: begun("#!bin/sh", WorkingDir="/none")),
    unclear("relative interpreter upwards, WorkingDir missing", lambda: begun("#!../bin/sh", WorkingDir="/none")),
    cleared("interpreter that is a text", lambda: begun("#!/i/sh", program("i/sh", programs.nameless("conda 9")))),
    cleared("interpreter that is empty", lambda: begun("#!/i/sh", program("i/sh"))),
    cleared("interpreter that is a script", lambda: begun("#!/i/sh", program("i/sh", programs.script(SAID)))),
    refused(
        "interpreter that is a script whose interpreter is missing",
        lambda: begun("#!/i/sh", program("i/sh", programs.script(SAID, "#!/none/sh"))),
    ),
    cleared(
        "interpreter that is a script whose interpreter is a text",
        lambda: begun("#!/i/sh", program("i/sh", programs.script(SAID, "#!/j/sh")), program("j/sh", "echo x\n")),
    ),
    cleared("five interpreters in a row", lambda: chain(5)),
    refused("six interpreters in a row", lambda: chain(6)),
    refused(
        "an interpreter that is its own", lambda: begun("#!/i/sh", program("i/sh", programs.script(SAID, "#!/i/sh")))
    ),
    cleared(
        "five interpreters in a row, the last one with a loader",
        lambda: begun(
            "#!/i1/sh",
            *(program(f"i{n}/sh", programs.script(SAID, f"#!/i{n + 1}/sh")) for n in range(1, 5)),
            program("i5/sh", programs.elf(f"{SAID}\n", starter=LOADER)),
            *ready(),
        ),
    ),
    refused(
        "interpreter whose loader is missing",
        lambda: begun("#!/i/bash", program("i/bash", programs.elf(f"{SAID}\n", starter="/none/ld.so"))),
    ),
    cleared(
        "interpreter whose loader is there",
        lambda: begun("#!/i/bash", program("i/bash", programs.elf(f"{SAID}\n", starter=LOADER)), *ready()),
    ),
    cleared("env", lambda: begun("#!/bin/env sh")),
    cleared(
        "env with words to split",
        lambda: begun("#!/usr/bin/env -S sh -e", program("usr/bin/env", programs.elf(f"{SAID}\n"))),
    ),
    cleared(
        "env with a variable",
        lambda: begun("#!/usr/bin/env -S A=b sh", program("usr/bin/env", programs.elf(f"{SAID}\n"))),
    ),
    refused("env that is missing", lambda: begun("#!/usr/bin/env -S sh")),
    cleared("env that is a script", lambda: begun("#!/usr/bin/env sh", program("usr/bin/env", programs.script(SAID)))),
    refused(
        "interpreter that the user may not execute",
        lambda: begun("#!/i/sh", program("i/sh", programs.elf(f"{SAID}\n")).but(mode=0o744), User="worker"),
    ),
    cleared(
        "interpreter that the user may execute and not read",
        lambda: begun("#!/i/sh", program("i/sh", programs.elf(f"{SAID}\n")).but(mode=0o711), User="worker"),
    ),
    unclear(
        "interpreter that is a script the user may not read",
        lambda: begun("#!/i/sh", program("i/sh", programs.script(SAID)).but(mode=0o711), User="worker"),
    ),
    refused(
        "interpreter in a directory that the user may not search",
        lambda: begun(
            "#!/i/sh", folder("i").but(mode=0o700), program("i/sh", programs.elf(f"{SAID}\n")), User="worker"
        ),
    ),
)
PYTHONS: tuple[Case, ...] = (
    refused(
        "python that is a script, a good Python behind it",
        lambda: first_on_path(program("first/python", programs.script("Python 3.7.1"))),
    ),
    refused(
        "python that is a script and says what would pass",
        lambda: first_on_path(program("first/python", programs.script("Python 3.6.5"))),
    ),
    refused(
        "python that is a text, a good Python behind it",
        lambda: first_on_path(program("first/python", programs.nameless("Python 3.7.1"))),
    ),
    refused(
        "python that is a text, a good Python beside it",
        lambda: first_on_path(
            program("first/python", programs.nameless("Python 3.7.1")),
            program("first/python3", programs.python("3.6.5")),
            program("first/python3.6", programs.python("3.6.5")),
        ),
    ),
    refused(
        "python that is a script in the good prefix, python3.6 beside it",
        lambda: image([*[e for e in good() if e.path != "opt/good/bin/python"], _script_python("3.7.1")], evil()),
    ),
    refused("python of the good prefix that is empty", lambda: python(b"")),
    cleared(
        "python that is a script without its interpreter, a good Python behind it",
        lambda: first_on_path(program("first/python", programs.script("Python 3.7.1", "#!/none/sh"))),
    ),
    refused(
        "python that is a script without its interpreter, another Python behind it",
        lambda: first_on_path(
            program("first/python", programs.script("Python 3.6.5", "#!/none/sh")), behind=f"/opt/evil/bin:{PATH}"
        ),
    ),
    refused(
        "only python3, and it is a script, a good Python nowhere on PATH",
        lambda: first_on_path(
            program("first/python3", programs.script("Python 3.7.1")),
            link("first/conda", "/opt/good/bin/conda"),
            behind=SYSTEM_PATH,
        ),
    ),
    unclear(
        "python that is a link to a script of another name",
        lambda: first_on_path(link("first/python", "x"), program("first/x", programs.script("Python 3.7.1"))),
    ),
    judged(
        "python that is a script, conda's base is asked for",
        lambda: first_on_path(program("first/python", programs.script("Python 3.6.5")), behind="/opt/good/bin"),
    ),
)
LOADERS: tuple[Case, ...] = (
    cleared("loader that is there", lambda: loaded(*ready())),
    refused("loader that is missing", loaded),
    refused("loader that is a text", lambda: loaded(program("lib/ld.so", "text " * 40))),
    refused("loader that is a short text", lambda: loaded(program("lib/ld.so", "text"))),
    refused(
        "loader that is a script", lambda: loaded(program("lib/ld.so", programs.script("Python 3.6.5") + b"#" * 80))
    ),
    refused("loader that is empty", lambda: loaded(program("lib/ld.so"))),
    refused("loader without x", lambda: loaded(file("lib/ld.so", programs.loader()))),
    refused("loader that is a directory", lambda: loaded(folder("lib/ld.so"))),
    refused("loader that begins as a program and ends at once", lambda: loaded(program("lib/ld.so", b"\x7fELF"))),
    refused("loader for another machine", lambda: loaded(*ready(change=OTHER_MACHINE))),
    refused("loader without program headers", lambda: loaded(*ready(change={_ENTRIES: bytes(2)}))),
    refused("loader with program headers of another size", lambda: loaded(*ready(change={_ENTRY_SIZE: b"\x20\0"}))),
    unclear("loader whose program headers are not there", lambda: loaded(*ready(change={32: b"\0\0\1"}))),
    unclear("loader of a name of its own", lambda: loaded(program("lib/own", programs.loader()), by="/lib/own")),
    cleared("loader behind a link", lambda: loaded(*ready(link("lib64", "lib")), by="/lib64/ld.so")),
    cleared(
        "loader with a loader, which nobody looks at",
        lambda: loaded(program("lib/ld.so", programs.loader(starter="/none/ld.so"))),
    ),
    cleared("relative loader", lambda: loaded(*ready(), by="lib/ld.so")),
    refused("relative loader that WorkingDir has not", lambda: loaded(*ready(), by="lib/ld.so", WorkingDir="/opt")),
    refused("loader with a slash at its end", lambda: loaded(*ready(), by="/lib/ld.so/")),
    unclear("loader whose path ends beyond the file", lambda: loaded(*ready(), change={_FIRST + 8: b"\0\0\1"})),
    refused("another program's loader is there, its own is not", lambda: loaded(*ready(), by="/lib/ld-linux.so.2")),
    cleared("conda with a loader", lambda: conda(programs.elf(f"{SAID}\n", starter=LOADER), *ready())),
    refused("conda whose loader is missing", lambda: conda(programs.elf(f"{SAID}\n", starter=LOADER))),
    unclear("loader of a path of 2,000 bytes that is missing", lambda: loaded(by="/" + "lib/../" * 300 + "lib/ld.so")),
    unclear("conda that is sparse, its interpreter missing", lambda: sparse(b"#!/none/sh\n", 9000)),
    unclear("conda whose missing loader is named far behind", lambda: conda(far(5000))),
    refused("conda whose missing loader is named just before 4,096 bytes", lambda: conda(far(4096 - 12))),
    refused("conda whose missing loader is the 40th program header", lambda: conda(many_headers(40))),
    refused("conda whose missing loader is the 70th program header", lambda: conda(many_headers(70))),
    unclear("conda whose missing loader is the 100th program header", lambda: conda(many_headers(100))),
    refused(
        "loader that the user may not execute",
        lambda: loaded(program("lib/ld.so", programs.loader()).but(mode=0o744), User="worker"),
    ),
    cleared(
        "python3 of the good prefix where python's loader is missing",
        lambda: first_on_path(program("first/python", programs.python("3.7.1", starter="/none/ld.so"))),
    ),
)


def _script_python(version: str) -> Entry:
    return program("opt/good/bin/python", programs.script(f"Python {version}"))


CASES: tuple[Case, ...] = (*LINES, *INTERPRETERS, *PYTHONS, *LOADERS)
