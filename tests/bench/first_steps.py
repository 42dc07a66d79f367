"""First steps as a new user takes them: how long from a fresh clone, without a network, to a verdict and the page."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.bench.figures import Figure
from tests.clients.first_start import ADDRESS, ROOT, Terminal, commands
from tests.clients.program import Program
from tests.ports import free_port
from tests.server_process import started

WHOLE = 180.0
"""Seconds from the clone to the page: a goal of ours."""
_MORE = re.compile("^More: ", re.MULTILINE)


def measure_first_steps(folder: Path) -> list[Figure]:
    """Clone, `make serve` with packages from a folder, and every step of docs/first-steps.md up to its pages.

    The packages are fetched before, which is not measured; the rest asks no index.
    """
    wheels = folder / "wheels"
    _run(sys.executable, "-m", "pip", "download", "-q", "-r", str(ROOT / "requirements.txt"), "-d", str(wheels))
    clone, began = folder / "clone", time.perf_counter()
    _run("git", "clone", "-q", str(ROOT), str(clone))
    host = f"127.0.0.1:{free_port()}"
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PYTHONDONTWRITEBYTECODE": ""}
    with ExitStack() as until:
        command = ["make", "-C", str(clone), "serve", f"LISTEN={host}"]
        server = until.enter_context(started(command, folder / "log", offline))
        _wait(server.process, lambda: bool(_MORE.search(server.printed)))
        served = time.perf_counter()
        _steps(Terminal(host, server.printed, Program(("sh", "-c"), clone)))
        ended = time.perf_counter()
    return [
        Figure("first steps: from the clone to a server", "basegate", served - began, "s"),
        Figure("first steps: from the server to both verdicts and the page", "basegate", ended - served, "s"),
        Figure("first steps: all", "basegate", ended - began, "s", WHOLE),
    ]


def _steps(terminal: Terminal) -> None:
    page = (ROOT / "docs" / "first-steps.md").read_text(encoding="utf-8")
    for line in commands(page.partition("## With docker")[0], "    ")[1:]:
        outcome = terminal.type(line)
        if not outcome.ok and "/team/bad" not in line:
            raise RuntimeError(f"{line}: {outcome.output}")
    secret = re.search(r"^  admin +Owner +(\S+)$", terminal.words, re.MULTILINE)
    signed = {"username": "admin", "password": secret[1] if secret else ""}
    with httpx.Client(base_url=f"http://{terminal.host}", headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        browser.post("/sign-in", data=signed)
        for path in ("/", *re.findall(rf"{re.escape(ADDRESS)}(/r/[^`]+)`", page)):
            browser.get(path).raise_for_status()


def _wait(process: subprocess.Popen[str], is_there: Callable[[], bool]) -> None:
    while not is_there():
        if process.poll() is not None:
            raise RuntimeError("make serve ended before the server was there")
        time.sleep(0.05)


def _run(*command: str) -> None:
    if not shutil.which(command[0]):
        raise RuntimeError(f"{command[0]} is not installed: first steps begin with it")
    subprocess.run(command, check=True, env=dict(os.environ))
