"""`basegate check docker:NAME` and `podman:NAME`: images as a build has left them, judged before they are pushed."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.clients.client import Client, Endpoint
from tests.clients.layouts import Layout
from tests.clients.program import Outcome, Program
from tests.clients.roster import ROSTER, Entry
from tests.policy.cli.transfers import lab_images

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("docker")]
_ENGINES = [
    pytest.param(entry, marks=pytest.mark.client(*programs), id=entry.name)
    for entry in ROSTER
    for programs in ({"docker": ("docker", "dockerd"), "podman": ("podman",)}.get(entry.name),)
    if programs is not None
]


@pytest.fixture(name="images")
def _images(tmp_path: Path) -> Layout:
    return lab_images(tmp_path / "layout")


def _check(client: Client, home: Path, name: str) -> Outcome:
    """Check a local image; the engine is called with the options that the tests call it with."""
    own: Program = client.program  # type: ignore[attr-defined]
    programs = home / "programs"
    programs.mkdir(parents=True)
    wrapper = programs / client.name
    wrapper.write_text(f'#!/bin/sh\nPATH="{own.environment["PATH"]}" exec {" ".join(own.arguments)} "$@"\n')
    wrapper.chmod(0o755)
    path = f"{programs}:{own.environment['PATH']}"
    command = (sys.executable, "-m", "policy", "check", f"{client.name}:{name}")
    return Program(command, home, {**own.environment, "PATH": path, "PYTHONPATH": str(ROOT)}).run()


@pytest.mark.parametrize("entry", _ENGINES)
def test_a_local_image(
    entry: Entry, images: Layout, connect: Callable[[Entry, Endpoint], Client], homes: Path, tmp_path: Path
) -> None:
    """The one that fits is allowed, the other denied, and one that is not there could not be told."""
    client = connect(entry, Endpoint("127.0.0.1:1", None))
    for tag in ("good", "bad"):
        images.write_docker_archive(tag, tmp_path / "it.tar", f"team/{tag}:v1")
        client.program.run("load", "--input", str(tmp_path / "it.tar")).check()  # type: ignore[attr-defined]
    ends = [_check(client, homes / tag, f"team/{tag}:v1") for tag in ("good", "bad", "absent")]
    assert [end.code for end in ends] == [0, 1, 2], ends
    assert f"{client.name} does not give 'team/absent:v1': " in ends[2].output
