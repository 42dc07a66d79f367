"""The commands of docs/azure.md work as they stand there, with what stands for secrets, hosts and digests filled in."""

import re
import shlex
import subprocess

import pytest

from registry.auth.actions import Role
from registry.auth.enrolment import draft, record
from tests.architecture.source import ROOT
from tests.policy.azure.test_scope_maps import run
from tests.policy.live import LiveGateway

PAGE = (ROOT / "docs" / "azure.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (curl .+)$", PAGE, re.MULTILINE)

STRICT = ("--fail", "--silent", "--show-error", "--noproxy", "*")


def test_there_are_commands() -> None:
    """A page that lost them must not pass."""
    assert len(COMMANDS) >= 3


@pytest.mark.client("curl")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works(lab: LiveGateway, name: str, command: str) -> None:
    """Exit code 0 with `--fail`."""
    made = draft(f"scanner-of-{name.replace('/', '-')}", Role.ACR_QUARANTINE_WRITER)
    run(lab.registry.app.services.stores.metadata.write(record, made))
    with lab.client("admin") as client:
        digest = client.get(f"/acr/v1/{name}/_tags/v2").json()["tag"]["digest"]
    filled = command.replace("admin:SECRET", f"admin:{lab.secrets['admin']}").replace("HOST:PORT", lab.host)
    filled = filled.replace("scanner:SECRET", f"{made.row.name}:{made.secret()}").replace("team/app", name)
    arguments = [*shlex.split(filled.replace("sha256:…", digest)), *STRICT]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
