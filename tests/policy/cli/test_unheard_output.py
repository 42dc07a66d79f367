"""Output that nobody hears: streams that are closed, full, or pipes without a reader."""

import json
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.installation import COMMAND
from tests.ports import free_port
from tests.waiting import wait_until

UNHEARD = {"closed": ">&-", "full": ">/dev/full", "unread": "> >(exec true)"}
STREAMS = ["1{0}", "2{0}", "1{0} 2{0}"]


def begun(redirection: str, *words: str) -> "subprocess.Popen[str]":
    """A command with its streams as bash has them; it stays one process."""
    script = f'exec "$@" {redirection}'
    command = ["bash", "-c", script, "bash", *COMMAND, *words]
    return subprocess.Popen(command, env=os.environ | {"PYTHONUNBUFFERED": ""}, stdout=subprocess.PIPE, text=True)


def answers(url: str) -> bool:
    """Whether a server is there."""
    try:
        return httpx.get(url).status_code == 401
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("streams", STREAMS)
@pytest.mark.parametrize("unheard", UNHEARD)
def test_a_server_serves_and_stops(tmp_path: Path, streams: str, unheard: str) -> None:
    """Its words and its log are lost, and nothing else."""
    listen = f"127.0.0.1:{free_port()}"
    redirection = streams.format(UNHEARD[unheard])
    with begun(redirection, "serve", "--data", str(tmp_path / "d"), "--listen", listen) as serving:
        try:
            wait_until(lambda: answers(f"http://{listen}/v2/"))
            serving.terminate()
            assert serving.wait(60) == 0
        finally:
            serving.kill()


@pytest.mark.parametrize(("redirection", "code"), [(">&-", 2), ("2>&-", 0), ("<&-", 0), ("<&- 2>&-", 0)])
def test_commands_with_closed_streams(tmp_path: Path, redirection: str, code: int) -> None:
    """An answer that could not be written was not given; errors may be told to nobody."""
    data = str(tmp_path / "d")
    with begun(redirection, "init", "--data", data) as made:
        made.communicate(timeout=60)
    with begun(redirection, "principal", "list", "--json", "--data", data) as listed:
        told, _ = listed.communicate(timeout=60)
    assert (made.returncode, listed.returncode) == (code, code)
    assert [each["name"] for each in json.loads(told or "[]")] == ([] if code else ["admin", "reader"])
