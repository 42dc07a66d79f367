"""Running the official conformance suite of the OCI distribution specification, and reading its report."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.installation import Account

TIMEOUT_SECONDS = 280

Registry = tuple[str, Account]
"""`address:port` of a live registry, and an account that owns everything in it."""


@dataclass(frozen=True)
class Report:
    """What a run of the suite found.

    Attributes:
        passed: the checks that held.
        skipped: those that the suite left out.
        problems: one line for each check that failed, ended in an error or was skipped.
        code: the exit code.
    """

    passed: tuple[str, ...]
    skipped: tuple[str, ...]
    problems: tuple[str, ...]
    code: int


def run_suite(program: str, folder: Path, variables: Mapping[str, str]) -> Report:
    """Run one suite to its end; its reports stay in the folder.

    Args:
        program: `conformance` or `conformance-legacy`, built by `make tools`.
        folder: where it runs and writes.
        variables: its settings, as environment variables of its own naming.
    """
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    with (folder / "output.txt").open("wb") as output:
        done = subprocess.run(
            [program],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    return _read(folder / "junit.xml", done.returncode)


def _read(report: Path, code: int) -> Report:
    passed, skipped, problems = [], [], []
    # The suite is a program of our own choice and its report holds no entities: plain parsing is enough.
    for case in ET.parse(report).iter("testcase"):  # noqa: S314
        name = f"{case.get('classname') or ''} {case.get('name')}"
        found = next((case.find(kind) for kind in ("failure", "error", "skipped") if case.find(kind) is not None), None)
        if found is None:
            passed.append(name)
            continue
        if found.tag == "skipped":
            skipped.append(name)
        text = f"{found.get('message') or ''} {found.text or ''}".strip()
        problems.append(f"{found.tag}: {name}: {text[:300]}")
    return Report(tuple(passed), tuple(skipped), tuple(problems), code)
