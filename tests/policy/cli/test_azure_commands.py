"""`basegate login`, `build` and `azure setup` against a live endpoint."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import COMMAND
from tests.policy.azure.endpoint import LiveEndpoint, live_endpoint

BUILDS = {"builder": "buildah", "free_bytes": 0}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEndpoint]:
    """An endpoint where buildah builds."""
    with live_endpoint(tmp_path_factory.mktemp("live") / "data", azure={"builds": BUILDS}) as endpoint:
        yield endpoint


def run(home: Path, *arguments: str, text: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `basegate` with a home of its own."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **variables}
    command = (*COMMAND, *arguments)
    return subprocess.run(
        command, env=environment, cwd=home, input=text, capture_output=True, text=True, timeout=120, check=False
    )


def test_login_keeps_what_docker_reads(live: LiveEndpoint, tmp_path: Path) -> None:
    """`basegate check` finds it there too."""
    secret = live.gateway.secrets["reader"]
    done = run(tmp_path, "login", live.gateway.host, "-u", "reader", "--password-stdin", text=f"{secret}\n")
    assert done.returncode == 0, done.stderr
    assert secret not in done.stdout
    assert live.gateway.host in json.loads((tmp_path / ".docker/config.json").read_text())["auths"]
    assert "could not tell" in run(tmp_path, "check", f"{live.gateway.host}/a:v1").stderr


@pytest.mark.parametrize("host", ["", "http://localhost", "a/b"])
def test_login_wants_a_registry(tmp_path: Path, host: str) -> None:
    """Without scheme and path."""
    assert run(tmp_path, "login", host, "-u", "x", "-p", "y").returncode == 2


def test_a_wrong_secret_is_not_kept(live: LiveEndpoint, tmp_path: Path) -> None:
    """It is tried first."""
    done = run(tmp_path, "login", live.gateway.host, "-u", "reader", "-p", "wrong")
    assert done.returncode == 2
    assert not (tmp_path / ".docker").exists()


def test_setup_prints_what_to_type(live: LiveEndpoint, tmp_path: Path) -> None:
    """The cloud has the name that the endpoint says."""
    done = run(tmp_path, "azure", "setup", "--endpoint", live.url, "--ca-file", str(live.ca))
    assert f"az cloud register --name basegate --endpoint-resource-manager {live.url}/" in done.stdout
    assert f"export REQUESTS_CA_BUNDLE={tmp_path}/basegate-azure.pem" in done.stdout


def test_setup_runs_it(live: LiveEndpoint, tmp_path: Path) -> None:
    """Each line in turn, with the bundle written before; here by an az that notes what it is asked."""
    az = tmp_path / "az"
    az.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ "$2" != show ]\n')
    az.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = run(tmp_path, "azure", "setup", "--write", "--endpoint", live.url, "--ca-file", str(live.ca), PATH=path)
    assert done.returncode == 0, done.stderr
    asked = [line.split()[:2] for line in (tmp_path / "asked").read_text().splitlines()]
    assert asked == [["cloud", "show"], ["cloud", "register"], ["cloud", "set"]]
    assert live.ca.read_text() in (tmp_path / "basegate-azure.pem").read_text()


def test_setup_says_what_is_missing(live: LiveEndpoint, tmp_path: Path) -> None:
    """az, the endpoint, or trust."""
    known = ("azure", "setup", "--endpoint", live.url)
    no_az = run(tmp_path, *known, "--write", "--ca-file", str(live.ca), PATH="/nowhere")
    assert "az is not on PATH" in no_az.stderr
    assert "--ca-file" in run(tmp_path, *known).stderr
    assert "cannot be reached" in run(tmp_path, "azure", "setup", "--endpoint", "https://localhost:1").stderr


@pytest.mark.root
@pytest.mark.client("buildah", "busybox")
def test_build_does_what_az_acr_build_does(live: LiveEndpoint, tmp_path: Path) -> None:
    """The log, the verdict, and the sentence at the end; and a build that fails ends with 1."""
    shutil.copy(shutil.which("busybox") or "", tmp_path / "busybox")
    dockerfile = tmp_path / "Dockerfile"
    flags = ("--endpoint", live.url, "--ca-file", str(live.ca), "-u", "admin", "-p", live.gateway.secrets["admin"])
    dockerfile.write_text("FROM scratch\nCOPY busybox /bin/busybox\n")
    built = run(tmp_path, "build", "-t", "team/app:v1", *flags, ".")
    assert built.returncode == 0, built.stderr
    assert built.stdout.splitlines()[-1].endswith("was successful after " + built.stdout.split()[-1])
    dockerfile.write_text("FROM scratch\nCOPY absent /x\n")
    assert run(tmp_path, "build", "-t", "team/app:v1", *flags, ".").returncode == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [(("-t", "other.example/a:v1"), "only be pushed to this one"), (("-f", "absent"), "there is no Dockerfile at")],
)
def test_build_says_what_cannot_be_built(live: LiveEndpoint, tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    """With exit code 2: nothing was begun."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    flags = ("--endpoint", live.url, "--ca-file", str(live.ca), "-u", "admin", "-p", live.gateway.secrets["admin"])
    done = run(tmp_path, "build", *more, *flags, ".")
    assert done.returncode == 2
    assert said in done.stderr
