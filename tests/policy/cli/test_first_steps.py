"""docs/first-steps.md: its steps, typed as they stand there in a fresh clone, where there is no docker."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.clients.first_start import ADDRESS, ROOT, Terminal, commands
from tests.clients.program import Outcome, Program
from tests.ports import free_port
from tests.server_process import Serving, started

PAGE = (ROOT / "docs" / "first-steps.md").read_text(encoding="utf-8")
ENDED = {"check 127.0.0.1:5000/team/bad:v1": 1, "explain 127.0.0.1:5000/team/bad:v1": 1, "withheld.tar": 2}
"""How lines that do not end with 0 end, by their own end."""


def steps() -> list[str]:
    """The command lines of the numbered sections; the first starts the server."""
    return commands(PAGE.partition("## With docker")[0], "    ")


@contextmanager
def made(clone: Path, host: str) -> Iterator[Serving]:
    """`make serve` in a clone whose `.venv` is that of the tests, so that nothing is installed."""
    (clone / ".venv").mkdir()
    for part in ("bin", "lib"):
        (clone / ".venv" / part).symlink_to(Path(sys.prefix) / part)
    shutil.copytree(ROOT / "config" / "examples", clone / "config" / "examples", symlinks=True)
    for name in ("Makefile", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, clone / name)
    (clone / ".venv" / ".runtime").touch()
    with started(["make", "-C", str(clone), "serve", f"LISTEN={host}"], clone / "log", {}) as server:
        yield server


@pytest.fixture(scope="module", name="terminal")
def _terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    clone = tmp_path_factory.mktemp("clone")
    host = f"127.0.0.1:{free_port()}"
    with made(clone, host) as server:
        server.wait_for(re.compile("^More: ", re.MULTILINE))
        yield Terminal(host, server.printed, Program(("sh", "-c"), clone))


@pytest.fixture(scope="module", name="transcript")
def _transcript(terminal: Terminal) -> dict[str, Outcome]:
    """The lines behind the first, one after the other, and how each ended."""
    return {line: terminal.type(line) for line in steps()[1:]}


def test_the_first_step_starts_the_server() -> None:
    """It is what the fixture types, with another address."""
    assert steps()[0] == "make serve"
    assert "make serve LISTEN=127.0.0.1:5001 DATA=" in PAGE


def test_each_step_ends_as_the_page_says(transcript: dict[str, Outcome]) -> None:
    """What is refused is denied, and withheld; everything else succeeds."""
    wanted = {line: next((code for end, code in ENDED.items() if line.endswith(end)), 0) for line in transcript}
    assert len(wanted) > 8
    assert {line: outcome.code for line, outcome in transcript.items()} == wanted, transcript


def test_the_verdicts(transcript: dict[str, Outcome]) -> None:
    """One image is cleared and one refused, and the refusal names the file and the way out."""
    said = {line.rpartition(" ")[2]: outcome.output for line, outcome in transcript.items() if " import " in line}
    assert "imported: cleared by policy azureml-2019-07" in said[f"{ADDRESS}/team/good:v1"]
    assert "imported: refused by policy azureml-2019-07" in said[f"{ADDRESS}/team/bad:v1"]
    denied = transcript[f".venv/bin/basegate check {ADDRESS}/team/bad:v1"].output
    assert "Python 3.7.1 found at opt/miniconda/conda-meta/python-3.7.1-h0371630_7.json" in denied
    assert "RUN /opt/miniconda/bin/conda install -y python=3.6" in denied


def test_what_is_withheld_is_not_written(transcript: dict[str, Outcome], terminal: Terminal) -> None:
    """The cleared image arrived, the other did not."""
    assert transcript
    assert (terminal.shell.home / "pulled.tar").stat().st_size > 1000
    assert not (terminal.shell.home / "withheld.tar").exists()


def test_the_pages(transcript: dict[str, Outcome], terminal: Terminal) -> None:
    """Whoever signs in sees both images, each with its verdict."""
    assert transcript
    secret = re.search(r"^  admin +Owner +(\S+)$", terminal.words, re.MULTILINE)
    with httpx.Client(base_url=f"http://{terminal.host}", headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        browser.post("/sign-in", data={"username": "admin", "password": secret[1] if secret else ""})
        catalog, addresses = browser.get("/").text, re.findall(r"5000(/r/[^`]+)`", PAGE)
        pages = [browser.get(address).raise_for_status().text for address in addresses]
        verdicts = [browser.get(f"{address}.json").json()["verdict"] for address in addresses]
    assert [address in catalog for address in ("/r/team/good", "/r/team/bad")] == [True, True]
    assert verdicts == ["cleared", "refused"]
    assert "3.5.x or 3.6.x" in pages[1]


def test_the_archive_holds_what_the_dockerfile_copies(terminal: Terminal) -> None:
    """The folders that it names are the layers of the archive."""
    dockerfile = (ROOT / "config" / "examples" / "offline" / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^COPY (\S+) /$", dockerfile, re.MULTILINE) == ["root/", "python-${PYTHON}/"]
    script = terminal.shell.home / "config" / "examples" / "offline" / "archive.py"
    said = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True).stdout
    assert "{3.6.8,3.7.1}" in said
