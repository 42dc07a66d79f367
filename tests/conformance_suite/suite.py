"""Running the official conformance suite of the OCI distribution specification, and reading its report."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

TIMEOUT_SECONDS = 280


@dataclass(frozen=True)
class Report:
    """What a run of the suite found.

    Attributes:
        passed: number of checks that held.
        problems: one line for each check that failed, ended in an error or was skipped.
        code: the exit code.
    """

    passed: int
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
    passed, problems = 0, []
    # The suite is a program of our own choice and its report holds no entities: plain parsing is enough.
    for case in ET.parse(report).iter("testcase"):  # noqa: S314
        found = next((case.find(kind) for kind in ("failure", "error", "skipped") if case.find(kind) is not None), None)
        if found is None:
            passed += 1
        else:
            text = f"{found.get('message') or ''} {found.text or ''}".strip()
            problems.append(f"{found.tag}: {case.get('classname') or ''} {case.get('name')}: {text[:300]}")
    return Report(passed, tuple(problems), code)
