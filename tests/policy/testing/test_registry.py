"""Registries for tests: what is pushed there is judged, nobody else sees it, and nothing of a server is left."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from policy.app import build
from policy.settings import Settings
from policy.testing.images import Files, Link
from policy.testing.registry import TemporaryRegistry
from policy.testing.server import Basegate, registry, server
from registry.server.in_thread import serving
from registry.server.startup import CannotStart
from tests.architecture.source import ROOT

PREFIX = "opt/miniconda"
CONFIG = {"Env": [f"PATH=/{PREFIX}/bin:/usr/bin:/bin"]}


def _record(name: str, version: str) -> dict[str, str]:
    document = {"name": name, "version": version, "build": "0", "build_number": 0, "channel": "defaults"}
    return {f"{PREFIX}/conda-meta/{name}-{version}-0.json": json.dumps(document)}


def files(python: str = "3.6.8") -> Files:
    """What the default policy looks for."""
    return {
        "etc/os-release": 'ID=ubuntu\nVERSION_ID="16.04"\n',
        f"{PREFIX}/conda-meta/history": "",
        **_record("conda", "4.5.12"),
        **_record("python", python),
        f"{PREFIX}/bin/conda": f"#!/{PREFIX}/bin/python\n",
        f"{PREFIX}/bin/python{python[:3]}": b"\x7fELF" + bytes(60),
        f"{PREFIX}/bin/python": Link(f"python{python[:3]}"),
    }


@pytest.mark.parametrize(("python", "verdict"), [("3.6.8", "cleared"), ("3.7.1", "refused")])
def test_an_image_has_a_verdict(basegate_registry: TemporaryRegistry, python: str, verdict: str) -> None:
    """That of the default policy, from the files alone."""
    answer = basegate_registry.verdict(basegate_registry.push_image(files(python), CONFIG))
    assert (answer.verdict, answer.allowed) == (verdict, verdict == "cleared")


def test_an_image_of_several_layers(basegate_registry: TemporaryRegistry) -> None:
    """The upper one counts."""
    image = basegate_registry.push_image(
        [files("3.7.1"), {f"{PREFIX}/bin/.wh.python": b""}], CONFIG, name="team/app:v2"
    )
    assert image.name.endswith("/team/app:v2")
    assert basegate_registry.verdict("team/app:v2").verdict == "refused"


def test_a_verdict_on_nothing(basegate_registry: TemporaryRegistry) -> None:
    """An image that is not there is not allowed."""
    assert "push it first" in basegate_registry.verdict("absent:v1").findings[0]["message"]


def test_the_reader_does_not_get_what_is_refused(basegate_registry: TemporaryRegistry) -> None:
    """As behind any basegate; the owner does."""
    image = basegate_registry.push_image(files("3.7.1"), CONFIG)
    path = f"/v2/{basegate_registry.repository('app')}/manifests/{image.digest}"
    answers = {}
    for who in (basegate_registry.owner, basegate_registry.reader):
        with basegate_registry.client(who) as client:
            answers[who.username.partition("-")[0]] = client.get(path).status_code
    assert answers == {"owner": 200, "reader": 403}


def test_two_registries_do_not_see_each_other(basegate: Basegate) -> None:
    """Neither in the catalog, nor by name."""
    with basegate.registry() as one, basegate.registry() as other:
        image = one.push_image(files(), CONFIG)
        with other.client() as client:
            path = f"/v2/{one.repository('app')}/manifests/{image.digest}"
            assert client.get(path).status_code == 403
            assert client.get("/v2/_catalog").json() == {"repositories": []}


@pytest.mark.client("crane")
def test_a_client_signs_in_with_the_configuration(basegate_registry: TemporaryRegistry, tmp_path: Path) -> None:
    """What docker and its kin read."""
    image = basegate_registry.push_image(files(), CONFIG)
    (tmp_path / "config.json").write_text(json.dumps(basegate_registry.docker_config()))
    environment = {**os.environ, "DOCKER_CONFIG": str(tmp_path)}
    told = subprocess.run(["crane", "digest", image.name], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == image.digest


def test_settings_count() -> None:
    """A server of its own has those that it is given."""
    with registry(policy={"mode": "reject"}) as own, pytest.raises(httpx.HTTPStatusError, match="403"):
        own.push_image(files("3.7.1"), CONFIG)


def test_nothing_is_left(tmp_path: Path) -> None:
    """Of servers and registries: no thread, socket, file, process or folder. `make testing-cycles`: 1,000 times."""
    command = [sys.executable, "-m", "tests.policy.testing.cycles", "5"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["nothing is left"]), done.stdout + done.stderr


def test_a_registry_in_a_test_with_an_event_loop(basegate: Basegate) -> None:
    """Whose own loop runs: most who call a registry are asynchronous."""

    async def test() -> str:
        with basegate.registry() as fresh:
            return fresh.verdict("absent:v1").verdict

    assert asyncio.run(test())


def test_settings_that_are_no_group_and_groups_in_groups() -> None:
    """A list is taken as it is; a default that is not named in a group stays."""
    with server(upstreams=[], policy={"inspection": {"wall_seconds": 5}}) as running:
        settings = running.app.settings.current
    assert isinstance(settings, Settings)
    inspection = settings.policy.inspection
    assert (inspection.wall_seconds, inspection.workers) == (5, 1)


def test_a_server_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    """Its port is taken: no thread of it is left."""
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        app = build(Settings.model_validate({"data": tmp_path / "data", "listen": address}))
        with pytest.raises(CannotStart), serving(app):
            pass
    assert set(threading.enumerate()) <= before
