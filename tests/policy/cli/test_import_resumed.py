"""Imports and copies that are killed within a blob: the next one sends and reads what is missing."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.clients.layouts import Image, Layout
from tests.clients.trees import CONDA_PATH, cleared_image, incompressible
from tests.other_registries import distribution
from tests.policy.cli.transfers import empty_registry, run, signed_in
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.mirror.line import Line, line_to
from tests.waiting import wait_until

LARGE = 24 << 20
HALF = LARGE // 2
# Requests beside the blob: look-ups, sign-in, configuration, manifest; and what stands in buffers when a line ends.
BESIDE = 1 << 20
ON_THE_WAY = 5 << 19
"""What a kill may lose at most: what is in sockets, and what was not written yet."""


@pytest.fixture(name="images", scope="module")
def _images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = Layout(tmp_path_factory.mktemp("images") / "layout")
    layout.add("large", Image((*cleared_image().layers, incompressible(LARGE)), CONDA_PATH))
    return layout.folder


@pytest.fixture(name="live")
def _live(tmp_path: Path) -> Iterator[LiveGateway]:
    with live_gateway(tmp_path / "data") as live:
        yield live


@pytest.fixture(name="line")
def _line(live: LiveGateway) -> Iterator[Line]:
    with line_to(live.host) as line:
        yield line


def environment(live: LiveGateway, home: Path) -> dict[str, str]:
    """Of a command of somebody whose files are in a folder."""
    return {**os.environ, **signed_in(live, "admin"), "HOME": str(home), "XDG_STATE_HOME": str(home / "state")}


def killed_in_the_middle(line: Line, environment: Mapping[str, str], *words: str) -> None:
    """Run a command, and kill it when half of the large blob has gone over the line."""
    line.hold_after = HALF
    with subprocess.Popen([sys.executable, "-m", "policy", *words], env=environment) as process:
        assert line.held.wait(60)
        process.send_signal(signal.SIGKILL)


def test_the_rest_is_sent(images: Path, live: LiveGateway, line: Line, tmp_path: Path) -> None:
    """Of an archive's blob, and nothing is noted any more afterwards."""
    words, mine = ("import", str(images), f"{line.host}/team/app"), environment(live, tmp_path)
    killed_in_the_middle(line, mine, *words)
    assert len(list((tmp_path / "state/basegate/uploads").iterdir())) == 1
    before = line.sent
    done = run(*words, **mine)
    assert (done.exit_code, "cleared by policy" in done.stdout) == (0, True), done.output
    assert line.sent - before < LARGE - HALF + BESIDE
    assert list((tmp_path / "state/basegate/uploads").iterdir()) == []


def test_the_rest_is_read(images: Path, live: LiveGateway, line: Line, tmp_path: Path) -> None:
    """Of a registry's blob: the source is asked for what the target does not have."""
    mine = environment(live, tmp_path)
    with distribution(tmp_path / "other") as other, line_to(other.host) as source:
        run("import", str(images), f"{other.host}/lab/app", **{**mine, "BASEGATE_USERNAME": ""})
        words = ("copy", f"{source.host}/lab/app:large", f"{line.host}/team/app")
        killed_in_the_middle(line, mine, *words)
        before = source.passed
        done = run(*words, **mine)
        assert (done.exit_code, "cleared by policy" in done.stdout) == (0, True), done.output
        assert source.passed - before < LARGE - HALF + BESIDE


def test_an_upload_that_is_gone_is_begun_anew(images: Path, live: LiveGateway, line: Line, tmp_path: Path) -> None:
    """The server has forgotten it: everything is sent."""
    words, mine = ("import", str(images), f"{line.host}/team/app"), environment(live, tmp_path)
    killed_in_the_middle(line, mine, *words)
    [note] = (tmp_path / "state/basegate/uploads").iterdir()
    with live.client("admin") as client:
        client.delete(json.loads(note.read_bytes())["location"].replace(line.host, live.host)).raise_for_status()
    before = line.sent
    done = run(*words, **mine)
    assert (done.exit_code, "cleared by policy" in done.stdout) == (0, True), done.output
    assert line.sent - before > LARGE


def test_the_rest_is_taken_into_a_folder(images: Path, tmp_path: Path) -> None:
    """Of a registry's blob, by an import that was killed twice; nothing of uploads is left."""
    data, mine = empty_registry(tmp_path / "data"), {**os.environ, "HOME": str(tmp_path)}
    with distribution(tmp_path / "other") as other, line_to(other.host) as source:
        run("import", str(images), f"{other.host}/lab/app", **mine)
        words = ("import", f"{source.host}/lab/app:large", "team/app", "--data", data)
        source.rate = 16 << 20
        for part in (LARGE // 4, HALF):
            killed_while_reading(source, part, mine, *words)
        before, source.rate = source.passed, 0
        done = run(*words, **mine)
        assert (done.exit_code, "cleared by policy" in done.stdout) == (0, True), done.output
        assert source.passed - before < LARGE - HALF + 2 * ON_THE_WAY
    assert [list((Path(data) / folder).iterdir()) for folder in ("uploads", "imports")] == [[], []]


def killed_while_reading(source: Line, part: int, environment: Mapping[str, str], *words: str) -> None:
    """Run a command, and kill it when so much has come over the line in all."""
    with subprocess.Popen([sys.executable, "-m", "policy", *words], env=environment) as process:
        wait_until(lambda: source.passed >= part)
        process.send_signal(signal.SIGKILL)
