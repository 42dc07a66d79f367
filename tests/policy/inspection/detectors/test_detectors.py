"""Each detector reads its kind of file, and says so when a file is not what its name promises."""

import re

import pytest

from policy.inspection.detectors import (
    DETECTORS,
    Unreadable,
    conda_record,
    dpkg,
    interpreter,
    os_release,
    patchlevel,
)
from policy.inspection.detectors import pyvenv as virtual
from policy.inspection.detectors.shell_text import ShellUnclear, assigned
from tests.corpus.systems import elf, record


@pytest.mark.parametrize(
    ("name", "detector"),
    [
        (b"os-release", "os-release"),
        (b"lsb-release", "os-release"),
        (b"conda-4.5.12-py36_0.json", "conda-record"),
        (b"python-3.6.8-h0371630_0.json", "conda-record"),
        (b"patchlevel.h", "patchlevel"),
        (b"pyvenv.cfg", "pyvenv"),
        (b"python", "interpreter"),
        (b"python3.6m", "interpreter"),
        (b"libpython3.6m.so.1.0", "interpreter"),
        (b"pypy3", "interpreter"),
        (b"status", "dpkg"),
        (b"METADATA", "conda-lookalike"),
        (b"PKG-INFO", "conda-lookalike"),
        (b"micromamba", "conda-lookalike"),
        (b"conda.list", "conda-lookalike"),
        (b"conda:amd64.list", "conda-lookalike"),
        (b"conda-build-3.0-0.json", ""),
        (b"conda-build.list", ""),
        (b"._conda-4.5.12-0.json", ""),
        (b"python3.6-config", ""),
        (b"os-release.bak", ""),
    ],
)
def test_names_decide_who_reads(name: bytes, detector: str) -> None:
    """One detector at most wants a name."""
    found = [item.name for item in DETECTORS if re.fullmatch(item.wanted, name)]
    assert found == ([detector] if detector else [])


def test_every_detector_has_a_name_of_its_own() -> None:
    """Names and versions make the key of an inspection."""
    assert len({item.name for item in DETECTORS}) == len(DETECTORS)
    assert not any(re.compile(item.wanted).groups for item in DETECTORS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("'single'", "single"),
        ('"double"', "double"),
        ("'a\"b'", 'a"b'),
        (r'"a\"b\$c\\d\`e\n"', r'a"b$c\d`e\n'),
        ('"open', '"open'),
        ("'", "'"),
        ("''", ""),
        ('"a" b', '"a" b'),
    ],
)
def test_os_release_values_are_read_as_text(text: str, value: str) -> None:
    """Quotes go, four escapes are undone, nothing is evaluated."""
    assert os_release.unquoted(text) == value


def test_conda_record_wants_three_texts() -> None:
    """Name, version and build; anything else is unreadable."""
    assert conda_record.read(record("conda", "4.5.12", "py36_0").encode())["build"] == "py36_0"
    with pytest.raises(Unreadable, match="version"):
        conda_record.read(b'{"name": "conda", "version": ["4.5"], "build": "0"}')


def test_interpreter_tells_programs_from_scripts() -> None:
    """A script may start anything."""
    assert interpreter.read(b"#! /bin/sh -e\n") == {"format": "script", "starter": "/bin/sh", "argument": "-e"}
    assert interpreter.read(b"MZ") == {"format": "other"}
    assert interpreter.read(elf("3.6.15", before="/versions/"))["versions"] == "3.6.15"


def test_interpreter_ignores_what_is_no_python_version() -> None:
    """Versions of zlib, longer numbers and versions without an end do not count."""
    assert interpreter.read(elf("1.2.11", "10.3.6.1") + b"3.7.1 and more")["versions"] == ""


def test_patchlevel_wants_one_version() -> None:
    """The header defines it once."""
    assert patchlevel.read(b'#define PY_VERSION      \t"3.6.5+"\n') == {"version": "3.6.5+"}
    with pytest.raises(Unreadable, match="0 definitions"):
        patchlevel.read(b'/* #define PY_VERSION "3.6.5" */\n')


def test_dpkg_lists_installed_packages_only() -> None:
    """Removed ones and other packages are left out."""
    text = (
        b"Package: python3.5-minimal\nStatus: install ok installed\nVersion: 3.5.1-10\n\n"
        b"Package: python3.6\nStatus: deinstall ok config-files\nVersion: 3.6.9-1\n\n"
        b"Package: python3-apt\nStatus: install ok installed\nVersion: 1.1\n"
    )
    assert dpkg.read(text) == {"python3.5-minimal": "3.5.1-10"}


def test_pyvenv_knows_both_spellings() -> None:
    """venv writes version, virtualenv version_info."""
    assert virtual.read(b"home = /usr/bin\nversion = 3.6.9\n") == {"version": "3.6.9", "home": "/usr/bin"}
    assert virtual.read(b"version_info = 3.6.9.final.0\n") == {"version": "3.6.9"}


FIRST_LINES = {
    b"#!/bin/sh": "/bin/sh",
    b"#!\t /bin/sh -e x\n": "/bin/sh",
    b"#!sh\n": "sh",
    b"#!/bin/sh\0x\n": "/bin/sh",
    b"#!": "",
    b"#! ": "",
    b"#!\0/bin/sh\n": "",
    b"#!\n/bin/sh": None,
    b"#! \t\n": None,
    b"#!" + b" " * 300: None,
    b"#!/" + b"x" * 300: None,
    b"#!" + b"/" * 260 + b"bin/sh\n": None,
    b"#!/bin/sh " + b"x" * 300: "/bin/sh",
    b"echo": None,
}


@pytest.mark.parametrize("body", FIRST_LINES)
def test_a_first_line_starts_what_linux_starts(body: bytes) -> None:
    """The path between blanks; "" where execve finds no such file, nothing where a shell reads the text itself."""
    assert interpreter.started_by(body).get("starter") == FIRST_LINES[body]


TEXTS = {
    "A=b": {"A": "b"},
    'A=\'b c\' B="d\\"e"': {"A": "b c", "B": 'd"e'},
    "A=b\\\nc\n": {"A": "bc"},
    "A=b;A=c # it's": {"A": "c"},
    "A=x none B=y": {},
    "A=1 sh\nA=2": {"A": "2"},
    "# A=b\n#'\n": {},
    "A=": {"A": ""},
    "": {},
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_assigns_what_a_shell_assigns(text: str) -> None:
    """Quotes removed, lines joined, comments passed over; assignments in front of a command do not stay."""
    assert assigned(text) == TEXTS[text]


@pytest.mark.parametrize(
    "text",
    [
        "A=$B",
        "A=`b`",
        'A="$B"',
        "A='b",
        "export A=b",
        "A=b . x",
        "if x",
        "A=b|c",
        "(A=b)",
        "A<b",
        "x() {",
        "A[0]=b",
        "A+=b",
        "fi",
        "A\0=b",
    ],
)
def test_a_text_that_does_more_is_unclear(text: str) -> None:
    """Expansions, commands that set something, operators, quotes without an end."""
    with pytest.raises(ShellUnclear):
        assigned(text)


def test_linux_cuts_what_it_gives_an_interpreter() -> None:
    """255 bytes of a script are read (measured with the kernel's own)."""
    begins = b"#!/usr/bin/env "
    assert len(interpreter.started_by(begins + b"a" * 300 + b"\n")["argument"]) == 255 - len(begins)
