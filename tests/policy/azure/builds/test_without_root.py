"""Quick builds of a server that is not root: what only copies is built; a RUN line is told why it cannot begin."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from registry.cli.certificate_authority import make_certificates
from tests.installation import COMMAND, Account, Installation
from tests.policy.azure.builds.sending import BUSYBOX, FROM_NOTHING, busybox, run_line
from tests.ports import free_port
from tests.server_process import READY, started

pytestmark = [
    pytest.mark.root,
    pytest.mark.client("buildah", "busybox", "setpriv"),
    pytest.mark.xdist_group("builds"),
]
USER = "23456"
# The interpreter of the tests may be in a folder of root's: this user may look into folders, and no more.
_LOOK = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
AS_USER = ("setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", *_LOOK)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One that this user may enter, which those of pytest are not."""
    with TemporaryDirectory(prefix="basegate-without-root-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def build(folder: Path) -> Iterator[tuple[str, ...]]:
    """`basegate build` against such a server."""
    port = free_port()
    azure = {"LISTEN": f"127.0.0.1:{port}", "BUILDS__BUILDER": "buildah", "BUILDS__FREE_BYTES": "0"}
    installation = Installation(folder / "data", {f"BASEGATE_AZURE__{name}": value for name, value in azure.items()})
    account: Account = installation.create_principal("tester", "Owner")
    ca = make_certificates(folder / "data").ca
    subprocess.run(["chown", "-R", f"{USER}:{USER}", folder / "data"], check=True)
    serve = (*AS_USER, *COMMAND, "serve", "--data", str(folder / "data"), "--listen", f"127.0.0.1:{free_port()}")
    signing_in = ("--username", account.username, "--password", account.password, "--ca-file", str(ca))
    with started(serve, folder / "serve.log", installation.variables) as running:
        running.wait_for(READY)
        yield (*COMMAND, "build", "--image", "team/app:v1", *signing_in, "--endpoint", f"https://localhost:{port}")


def built(build: tuple[str, ...], folder: Path, dockerfile: str) -> tuple[int, list[str]]:
    """Exit code and log of a build."""
    (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    (folder / BUSYBOX).write_bytes(busybox())
    done = subprocess.run([*build, str(folder)], capture_output=True, text=True, check=False, env=dict(os.environ))
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_what_only_copies_is_built(build: tuple[str, ...], tmp_path: Path) -> None:
    """And pushed."""
    code, log = built(build, tmp_path, FROM_NOTHING)
    assert code == 0, log
    assert any(line.startswith("denied: team/app:v1@sha256:") for line in log)


def test_a_run_line_is_told_why_it_cannot_begin(build: tuple[str, ...], tmp_path: Path) -> None:
    """With what to do about it."""
    code, log = built(build, tmp_path, FROM_NOTHING + run_line("/bin/busybox true"))
    assert code == 1
    assert any(line.startswith("This server does not run as root, so a RUN line cannot begin: ") for line in log), log
