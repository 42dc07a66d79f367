"""Advice that works: done to the image it clears it, and nothing of it is too much."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from policy.definition.policy import Policy, parse_policy
from policy.state import State
from tests.corpus.systems import (
    PREFIX,
    conda,
    conda_record,
    elf,
    miniconda,
    python_files,
    python_record,
    record,
    system_python,
    ubuntu,
)
from tests.corpus.tarballs import Entry, file, folder, link, program
from tests.policy.advice.making import (
    DEFAULT,
    Made,
    advice,
    is_cleared,
    smaller,
    verdict,
)

BIN = f"{PREFIX}/bin"
ON_PATH = f"/{BIN}:/usr/local/bin:/usr/bin:/bin"
OFF_PATH = "/usr/local/bin:/usr/bin:/bin"
APT = [*system_python("3.8.10"), link("usr/bin/python", "python3")]


def made(*parts: Sequence[Entry], path: str | None = ON_PATH) -> Made:
    """An image of Ubuntu 16.04 and these files."""
    return Made(tuple(entry for part in (ubuntu(), *parts) for entry in part), path)


def based_on(version: str, name: str = "ubuntu", *parts: Sequence[Entry]) -> Made:
    """The same of another system."""
    found = parts or (miniconda(),)
    return Made(tuple(entry for part in (ubuntu(version, name), *found) for entry in part), ON_PATH)


def own(*rules: dict[str, object]) -> Policy:
    """A policy of a lab's own."""
    source = {"document": "Notes", "date": "2026-01-01"}
    return parse_policy({"name": "own", "title": "A lab's own", "source": source, "rules": list(rules)}, "own")


def conda_from(minimum: str) -> dict[str, object]:
    """A rule on Conda."""
    return {"rule": "conda-version", "minimum": minimum}


def python_of(*series: str, of: str = "path") -> dict[str, object]:
    """A rule on Python."""
    return {"rule": "python-version", "series": list(series), "of": of}


def scripted(name: str) -> list[Entry]:
    """A prefix whose Python is a script, with a program of another series beside it."""
    other = [program(f"{BIN}/python3.8", elf()), python_record("3.6.8")]
    return [*conda(), program(f"{BIN}/{name}", "#!/bin/sh\nexec python3.8\n"), *other]


BROKEN = file(f"{PREFIX}/conda-meta/conda-4.4.11-py36_0.json", "{")
STALE = conda_record("4.4.11")
RELINKED = [item for item in miniconda() if item.path != f"{BIN}/python"]
UNNAMED = [*conda(), program(f"{BIN}/python", elf()), python_record("3.6.8"), python_record("3.7.3")]
NAMED = file(f"{PREFIX}/conda-meta/conda-4.5.12-py36_0.json", record("conda", "4.5.12", "py36_0"))

LOCKED = tuple(item.but(mode=0o700) if item.path == f"{PREFIX}/" else item for item in miniconda())
HOME = (folder("root").but(mode=0o700), *miniconda(prefix="root/miniconda"))

CASES: dict[str, tuple[Made, Policy, set[str]]] = {
    "a stale record beside the right one": (made(miniconda(), [STALE]), DEFAULT, {"delete"}),
    "two stale records": (made(miniconda(), [STALE, conda_record("4.3.30")]), DEFAULT, {"delete"}),
    "a broken record beside the right one": (made(miniconda(), [BROKEN]), DEFAULT, {"delete"}),
    "a stale record and a new Python": (
        made(miniconda(python_version="3.7.1"), [STALE]),
        DEFAULT,
        {"delete", "conda"},
    ),
    "only a broken record": (
        made([item for item in miniconda() if "conda-meta/conda-" not in item.path], [BROKEN]),
        DEFAULT,
        {"installer"},
    ),
    "python linked to apt's": (made(RELINKED, APT, [link(f"{BIN}/python", "/usr/bin/python3.8")]), DEFAULT, {"link"}),
    "python linked to apt's through alternatives": (
        made(
            RELINKED,
            APT,
            [link(f"{BIN}/python", "/etc/alternatives/py"), link("etc/alternatives/py", "/usr/bin/python3")],
        ),
        DEFAULT,
        {"link"},
    ),
    "python linked to apt's, and no other there": (
        made(conda(), APT, [link(f"{BIN}/python", "/usr/bin/python3.8")]),
        DEFAULT,
        {"installer"},
    ),
    "Conda 24 with Python 3.12": (made(miniconda("24.1.2", "3.12.4")), DEFAULT, {"installer"}),
    "Conda 4.11 with Python 3.9": (made(miniconda("4.11.0", "3.9.7")), DEFAULT, {"installer"}),
    "Conda 23 beside a record of an older one": (
        made(miniconda("23.1.0", "3.8.16"), [conda_record("4.10.1")]),
        DEFAULT,
        {"installer"},
    ),
    "Conda 4.10.3 with Python 3.9": (made(miniconda("4.10.3", "3.9.5")), DEFAULT, {"conda"}),
    "Conda 4.5.12 with Python 3.7": (made(miniconda("4.5.12", "3.7.1")), DEFAULT, {"conda"}),
    "an old Conda": (made(miniconda("4.3.30", "3.6.3")), DEFAULT, {"conda"}),
    "an old Conda with Python 3.7": (made(miniconda("4.3.0", "3.7.1")), DEFAULT, {"conda"}),
    "Conda not on PATH, Python 3.7": (made(miniconda(python_version="3.7.1"), path=OFF_PATH), DEFAULT, {"conda"}),
    "Conda not on PATH, and old": (made(miniconda("4.4.10"), path=OFF_PATH), DEFAULT, {"conda"}),
    "Conda not on PATH, too new": (made(miniconda("24.1.2", "3.12.4"), path=OFF_PATH), DEFAULT, {"installer"}),
    "Conda not on PATH, apt's Python on it": (made(miniconda(), APT, path=OFF_PATH), DEFAULT, {"path"}),
    "Conda last on PATH": (made(miniconda(), APT, path=f"/usr/bin:/{BIN}"), DEFAULT, {"path"}),
    "Conda last on PATH, its Python wrong as well": (
        made(miniconda("4.5.12", "3.7.1"), APT, path=f"/usr/bin:/{BIN}"),
        DEFAULT,
        {"path", "conda"},
    ),
    "Conda last on PATH, and too new": (
        made(miniconda("24.1.2", "3.12.4"), APT, path=f"/usr/bin:/{BIN}"),
        DEFAULT,
        {"path", "installer"},
    ),
    "conda by a link of its own": (
        made(miniconda(), APT, [link("usr/local/bin/conda", f"/{BIN}/conda")], path=OFF_PATH),
        DEFAULT,
        {"path"},
    ),
    "quotes that are part of PATH": (made(miniconda(), APT, path=f'"/{BIN}:/usr/bin"'), DEFAULT, {"path"}),
    "two prefixes, one of them old": (
        made(miniconda("4.3.30", "3.6.1", "opt/anaconda"), miniconda(), path=OFF_PATH),
        DEFAULT,
        {"path"},
    ),
    "two prefixes, both with a wrong Python": (
        made(miniconda("4.3.30", "3.7.1", "opt/anaconda"), miniconda(python_version="3.7.1"), path=OFF_PATH),
        DEFAULT,
        {"path", "conda"},
    ),
    "Debian": (based_on("12", "debian"), DEFAULT, {"base"}),
    "Ubuntu 14.04": (based_on("14.04"), DEFAULT, {"base"}),
    "Ubuntu 14.04 and an old Conda": (based_on("14.04", "ubuntu", miniconda("4.4.10")), DEFAULT, {"base", "conda"}),
    "no os-release": (Made(tuple(miniconda()), ON_PATH), DEFAULT, {"base"}),
    "no Conda and no Python": (made(path=OFF_PATH), DEFAULT, {"installer"}),
    "no Conda, apt's Python": (made(APT, path=OFF_PATH), DEFAULT, {"installer"}),
    "no Conda, and a Python that would do": (made(system_python("3.6.9"), path=OFF_PATH), DEFAULT, {"installer"}),
    "micromamba": (made([program("usr/local/bin/micromamba", elf())], path=OFF_PATH), DEFAULT, {"installer"}),
    "Conda without a Python": (made(conda()), DEFAULT, {"installer"}),
    "Conda without a Python, apt's behind it on PATH": (made(conda(), APT), DEFAULT, {"installer"}),
    "Conda without a Python, apt's before it on PATH": (
        made(conda(), APT, path=f"/usr/bin:/{BIN}"),
        DEFAULT,
        {"path", "installer"},
    ),
    "Conda without a Python, another one off PATH": (
        made(conda(), python_files("3.8.2", "opt/py")),
        DEFAULT,
        {"installer"},
    ),
    "a record of Python without a program": (made(conda(), [python_record("3.6.8")]), DEFAULT, {"installer"}),
    "a script named python": (made(scripted("python")), DEFAULT, {"installer"}),
    "two records of Python, a program without a name": (made(UNNAMED), DEFAULT, {"delete"}),
    "Conda in /usr/local, too new": (
        made(miniconda("24.1.2", "3.12.4", "usr/local"), path="/usr/local/bin:/usr/bin"),
        DEFAULT,
        {"installer"},
    ),
    "the base environment is asked for": (
        made(miniconda("4.5.12", "3.7.1"), python_files("3.6.8", "opt/py"), path=f"/opt/py/bin:/{BIN}"),
        own(conda_from("4.5"), python_of("3.6", of="base")),
        {"conda"},
    ),
    "both are asked for": (
        made(miniconda("4.5.12", "3.7.1"), APT, path=f"/usr/bin:/{BIN}"),
        own(conda_from("4.5"), python_of("3.6", of="both")),
        {"path", "conda"},
    ),
    "Conda 4.7 is asked for": (
        made(miniconda("4.5.12", "3.6.8")),
        own(conda_from("4.7"), python_of("3.6")),
        {"conda"},
    ),
    "Python 3.5 is asked for": (made(miniconda("4.5.4", "3.6.5")), own(conda_from("4.5"), python_of("3.5")), {"conda"}),
    "Python 3.5 is asked for, and Conda is too new": (
        made(miniconda("4.7.12", "3.7.4")),
        own(conda_from("4.5"), python_of("3.5")),
        {"installer", "conda"},
    ),
    "Python is asked for, and no Conda": (
        made(APT, path="/opt/python/bin:/usr/bin"),
        own(python_of("3.6")),
        {"install"},
    ),
    "a prefix that only root may enter": (replace(made(LOCKED), user="1000"), DEFAULT, {"mode"}),
    "a home that only root may enter": (
        replace(made(HOME, path="/root/miniconda/bin:/usr/bin"), user="1000"),
        DEFAULT,
        {"mode"},
    ),
    "a home that only root may enter, apt's Python on PATH": (
        replace(made(HOME, APT, path="/usr/bin:/bin"), user="1000"),
        DEFAULT,
        {"mode", "path"},
    ),
    "a shell is asked for": (
        Made(tuple(miniconda()), ON_PATH),
        own({"rule": "posix-shell", "path": "/bin/sh"}),
        {"install"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_advice_clears_the_image(name: str) -> None:
    """All of it does, and no proper subset; what is proposed is of the kind that the facts call for."""
    start, policy, kinds = CASES[name]
    found = verdict(start, policy)
    changes = advice(found)
    assert found.state is State.REFUSED
    assert {change.action.value for change in changes} == kinds, changes
    assert is_cleared(start, changes, policy)
    assert [part for part in smaller(changes) if is_cleared(start, part, policy)] == []


@pytest.mark.parametrize("name", CASES)
def test_every_finding_that_stands_against_it_has_advice(name: str) -> None:
    """As text for a person too, with the lines of a Dockerfile in it."""
    start, policy, _ = CASES[name]
    against = [item for item in verdict(start, policy).findings if item.result.value == "fail"]
    assert against
    for finding in against:
        assert finding.changes
        assert all(line in finding.fix for change in finding.changes for line in change.lines)


def test_the_file_to_delete_is_named() -> None:
    """With both versions, so that a person can tell which one is right."""
    found = verdict(made(miniconda(), [STALE]))
    stale = f"/{PREFIX}/conda-meta/conda-4.4.11-py36_0.json"
    why = "a record of Conda that says 4.4.11 beside the one of 4.5.12"
    assert [change.words for change in advice(found)] == [f"delete {stale}, {why}"]
    assert advice(found)[0].lines == (f"RUN rm {stale}",)


def test_the_link_to_set_right_is_named() -> None:
    """With where it leads, and where it must."""
    start = made(RELINKED, APT, [link(f"{BIN}/python", "/usr/bin/python3.8")])
    (change,) = advice(verdict(start))
    assert change.words == f"set the link /{BIN}/python to python3.6: it leads to /usr/bin/python3.8, out of the prefix"
    assert change.lines == (f"RUN ln -sfn python3.6 /{BIN}/python",)


def test_a_conda_that_is_too_new_is_told_why() -> None:
    """Its solver would refuse; the installer of the time is named with what it carries."""
    (change,) = advice(verdict(made(miniconda("24.1.2", "3.12.4"))))
    assert "Miniconda3-4.5.4 (Conda 4.5.4, Python 3.6.5)" in change.words
    assert "conda install would be refused" in change.words
    assert change.lines[-1].startswith(f"RUN rm -rf /{PREFIX} && bash /tmp/Miniconda3-4.5.4-Linux-x86_64.sh -b -p ")


@pytest.mark.parametrize("path", [ON_PATH, OFF_PATH])
def test_conda_is_called_by_its_full_path(path: str) -> None:
    """A RUN line finds it whether it is on PATH or not."""
    (change,) = advice(verdict(made(miniconda(python_version="3.7.1"), path=path)))
    assert change.lines == (f"RUN /{BIN}/conda install -y python=3.6",)


def test_an_update_of_conda_stays_below_what_its_python_can_live_with() -> None:
    """The newest Conda would need another Python."""
    (change,) = advice(verdict(made(miniconda("4.3.30", "3.6.3"))))
    assert change.lines == (f"RUN /{BIN}/conda install -y 'conda>=4.5,<=4.10.3'",)


def test_commands_are_run_by_root() -> None:
    """The image's own User may not write into the prefix; it is set again afterwards."""
    (change,) = advice(verdict(replace(made(miniconda(python_version="3.7.1")), user="1000")))
    assert change.lines == ("USER root", f"RUN /{BIN}/conda install -y python=3.6", "USER 1000")


def test_quotes_in_path_are_taken_out() -> None:
    """The directories are right, and the quotation marks are part of the first and the last."""
    start = made(miniconda(), APT, path=f'"/{BIN}:/usr/bin"')
    (change,) = advice(verdict(start))
    assert change.lines == (f"ENV PATH=/{BIN}:/usr/bin",)


def test_permissions_are_what_is_to_be_changed() -> None:
    """Where the image's User may not enter, nothing has to be installed."""
    start, policy, _ = CASES["a prefix that only root may enter"]
    assert advice(verdict(start, policy))[0].lines == ("USER root", f"RUN chmod -R a+rX /{PREFIX}", "USER 1000")
