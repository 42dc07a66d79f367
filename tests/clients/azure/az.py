"""azure-cli, unmodified, in a folder of its own, and the basegate that it takes for Azure."""

import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from tests.clients.program import Outcome, Program
from tests.conftest import TOOLS, missing
from tests.installation import Account, Installation
from tests.ports import free_port

TENANT = "ba5e9a7e-0000-4000-8000-000000000002"
REGISTRY = "myregistry"


def installed(name: str, program: str = "bin/python") -> Path:
    """A program of an environment that `.ci/azure-clients` makes; without it the test is skipped, loudly."""
    found = TOOLS.parent / name / program
    if not found.exists():
        missing(f"{name} is not installed: sh .ci/azure-clients {name}")
    return found


class Az(Program):
    """az with a configuration and credentials of its own.

    Args:
        home: made when it is absent.
        bundle: the authorities that it trusts.
        variables: more of its environment.
    """

    def __init__(self, home: Path, bundle: Path, variables: Mapping[str, str] | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        trust = {"REQUESTS_CA_BUNDLE": str(bundle), "SSL_CERT_FILE": str(bundle)}
        quiet = {"AZURE_CORE_COLLECT_TELEMETRY": "false", "AZURE_CORE_ONLY_SHOW_ERRORS": "false"}
        own = {"AZURE_CONFIG_DIR": str(home / "azure"), "PYTHONWARNINGS": "ignore", "LANG": "C.UTF-8"}
        super().__init__((str(installed("azure-cli", "bin/az")),), home, {**trust, **quiet, **own, **(variables or {})})

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it, for what goes on while somebody signs in; its output is one stream."""
        command = (*self.arguments, *arguments)
        return subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@dataclass(frozen=True)
class Cloud:
    """A live basegate with its endpoint.

    Attributes:
        installation: its data folder and command.
        url: of the endpoint.
        host: HOST:PORT of the registry, by a name.
        bundle: the authorities that az is to trust.
        owner: may do everything.
        pusher: may push `myimage` and what is below `team`.
    """

    installation: Installation
    url: str
    host: str
    bundle: Path
    owner: Account
    pusher: Account

    @property
    def ca(self) -> Path:
        """The lab's authority."""
        return self.installation.data / "tls" / "ca.crt"

    def az(self, home: Path, **variables: str) -> Az:
        """An az that knows this cloud and has not signed in."""
        made = Az(home, self.bundle, variables)
        made.run("cloud", "register", "--name", "lab", "--endpoint-resource-manager", f"{self.url}/").check()
        made.run("cloud", "set", "--name", "lab").check()
        return made

    def az_by_hand(self, home: Path) -> Az:
        """An az that was told each place, and asks for none."""
        made = Az(home, self.bundle)
        places = {
            "resource-manager": f"{self.url}/",
            "active-directory": f"{self.url}/adfs",
            "active-directory-resource-id": f"{self.url}/",
        }
        flags = [word for name, place in places.items() for word in (f"--endpoint-{name}", place)]
        own = ("--skip-endpoint-discovery", "--suffix-acr-login-server-endpoint", f":{self.host.rpartition(':')[2]}")
        made.run("cloud", "register", "--name", "bare", *flags, *own).check()
        made.run("cloud", "set", "--name", "bare").check()
        return made

    def signed_in(self, home: Path, account: Account, **variables: str) -> Az:
        """An az that has signed in as a service principal."""
        made = self.az(home, **variables)
        self.sign_in(made, account).check()
        return made

    def sign_in(self, az: Az, account: Account) -> Outcome:
        """`az login --service-principal`."""
        who = ("--username", account.username, "--password", account.password)
        return az.run("login", "--service-principal", *who, "--tenant", TENANT)


@contextmanager
def live_cloud(folder: Path, *, address: str = "", hosts: Sequence[str] = (), **variables: Any) -> Iterator[Cloud]:
    """Serve a new installation over TLS, with its endpoint, until the block ends.

    Args:
        folder: of the installation.
        address: IP:PORT of the registry; a free port of 127.0.0.1 when nothing is said.
        hosts: more names that the certificate is good for.
        variables: `BASEGATE_AZURE__…`.
    """
    port = free_port()
    own = {"LISTEN": f"127.0.0.1:{port}", **variables}
    more = {"BASEGATE_AUTH__THROTTLE__ADDRESS_FAILURES": "1000", "BASEGATE_DEPLOYMENTS__REGISTRY_NAME": REGISTRY}
    more["BASEGATE_EVENTS__WEBHOOKS_LOCAL"] = "true"
    settings = more | {f"BASEGATE_AZURE__{name}": str(value) for name, value in own.items()}
    installation = Installation(folder / "data", settings)
    owner = installation.create_principal("tester", "Owner")
    pusher = installation.create_principal("ci", "AcrPush", "--repositories", "myimage,team/*")
    tls = installation.data / "tls"
    names = [word for host in hosts for word in ("--host", host)]
    assert installation.run("tls", "init", "--data", str(installation.data), *names).returncode == 0
    flags = ("--tls-cert", str(tls / "server.crt"), "--tls-key", str(tls / "server.key"))
    bundle = folder / "bundle.pem"
    bundle.write_bytes(_certifi() + (tls / "ca.crt").read_bytes())
    with installation.serve(*flags, host=address or f"127.0.0.1:{free_port()}") as host:
        yield Cloud(
            installation,
            f"https://localhost:{port}",
            host.replace("127.0.0.1", "localhost"),
            bundle,
            owner,
            pusher,
        )


def _certifi() -> bytes:
    """The authorities that az would trust by itself."""
    python = installed("azure-cli")
    found = subprocess.run([python, "-m", "certifi"], capture_output=True, text=True, check=True).stdout.strip()
    return Path(found).read_bytes()


def as_browser(folder: Path, endpoint: str, account: Account) -> str:
    """A value of BROWSER that signs in as somebody, on the pages of an endpoint, instead of a person.

    It names a file in the folder, as colons separate browsers; and it is run beside az, which answers it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "browser"
    words = (sys.executable, str(Path(__file__).with_name("as_browser.py")), endpoint, *astuple(account))
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$1"\n', encoding="utf-8")
    program.chmod(0o700)
    return f"{program} %s &"
