"""Every command of docs/events.md does what a person would expect of it."""

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from registry.metadata import sinks
from registry.metadata.open_store import open_metadata
from tests.architecture.source import ROOT
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.notifications.receiver import receiving

_PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
_COMMANDS = list(dict.fromkeys(re.findall(r"^ {4}basegate (.+)$", _PAGE, re.MULTILINE)))
_REQUESTS = list(dict.fromkeys(re.findall(r"^ {4}(curl .+)$", _PAGE, re.MULTILINE)))
_LATER = "2099-01-01T00:00Z"


@pytest.fixture(name="live", scope="module")
def _live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server in which a tag has moved."""
    folder = tmp_path_factory.mktemp("events")
    with live_gateway(folder / "data", events={"keep_alive_seconds": 0.1}) as gateway:
        gateway.push(folder / "one", "team/app:v1", refused_image())
        gateway.push(folder / "two", "team/app:v1", cleared_image())
        yield gateway


def begin(data: Path, sink: str) -> None:
    """A sink that was told of everything."""
    with closing(open_metadata(data)) as metadata:
        asyncio.run(metadata.write(sinks.begin, sink))


@pytest.mark.parametrize("command", [each for each in _COMMANDS if "follow" not in each])
def test_the_command_ends_well(live: LiveGateway, tmp_path: Path, command: str) -> None:
    """As it stands on the page, with a time at which there was something."""
    shutil.copytree(live.registry.data, tmp_path / "data")
    words = [_LATER if word.startswith("2026-") else word for word in shlex.split(command)]
    words = [str(tmp_path / "data") if word == "data" else word for word in words]
    with receiving() as receiver:
        settings = tmp_path / "basegate.yaml"
        settings.write_text(json.dumps({"events": {"sinks": [{"name": "ci", "url": receiver.url, "local": True}]}}))
        if "replay" in words:
            begin(tmp_path / "data", "ci")
        result = CliRunner().invoke(basegate, [*words, *(["--config", str(settings)] if "--sink" in words else [])])
    assert result.exit_code == 0, result.output


def test_following_shows_what_comes(live: LiveGateway) -> None:
    """From the beginning, if asked to; it ends with an interruption."""
    command = [sys.executable, "-u", "-m", "policy", "events", "follow", "--after", "0", "--json"]
    with subprocess.Popen([*command, "--data", str(live.registry.data)], cwd=ROOT, stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        first = json.loads(following.stdout.readline())
        following.terminate()
    assert first["kind"] == "blob.pushed"


@pytest.mark.parametrize("request_line", _REQUESTS)
def test_the_request_is_answered(live: LiveGateway, request_line: str) -> None:
    """By the server, to a reader; a stream is left after a second."""
    line = request_line.replace("127.0.0.1:5000", live.host).replace("SECRET", live.secrets["reader"])
    done = subprocess.run([*shlex.split(line), "-f", "-sS", "-m", "1"], capture_output=True, text=True, check=False)
    assert done.returncode in ({0, 28} if "-N" in line else {0}), done.stderr
    assert "team/app" in done.stdout or "nothing new" in done.stdout or "manifests" in done.stdout


def test_history_shows_what_a_reader_may_pull(live: LiveGateway) -> None:
    """The refused image that the tag pointed at before is told to the one who pushed it, and to no reader."""
    counts = {}
    for name in ("admin", "reader"):
        with live.client(name) as client:
            counts[name] = len(client.get("/v2/team/app/_oci/tag-history/v1").json()["manifests"])
    assert counts == {"admin": 2, "reader": 1}
