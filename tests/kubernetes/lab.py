"""A basegate over TLS, and the manifests of config/ filled in for it by the commands of docs/kubernetes.md."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from registry.cli.certificate_authority import make_certificates
from tests.architecture.source import ROOT
from tests.policy.kubernetes.test_manifests import BUNDLE, FOLDER, SECRET
from tests.policy.live import LiveGateway, live_gateway

PROGRAMS = ROOT / ".tools" / "kubernetes"
SERVICE = "basegate.basegate.svc"
NAME = "registry.lab.example:5000"
"""The registry's in images."""


@dataclass(frozen=True, slots=True)
class Lab:
    """What is asked, and what the askers are given.

    Attributes:
        gateway: a basegate.
        control: the AdmissionConfiguration.
        manifests: Service and webhooks.
    """

    gateway: LiveGateway
    control: Path
    manifests: Path


@contextmanager
def started(folder: Path) -> Iterator[Lab]:
    """Serve until the block ends."""
    made = make_certificates(folder / "data", [SERVICE])
    with live_gateway(
        folder / "data", ca=made.ca, gateway={"hosts": NAME}, tls_cert=made.certificate, tls_key=made.key
    ) as gateway:
        yield _written(folder, gateway)


def _written(folder: Path, gateway: LiveGateway) -> Lab:
    """The manifests, in a folder in place of /etc/kubernetes/basegate, with the port that was free."""
    (folder / "config").symlink_to(ROOT / "config")
    lines = f"SECRET={gateway.secrets['reader']}\n{BUNDLE}\n{SECRET}\ncp data/tls/ca.crt .\n"
    subprocess.run(["sh", "-ec", lines], cwd=folder, check=True)
    port = gateway.host.rpartition(":")[2]
    # A port other than 443 is part of the user's name.
    for path, changes in (
        (folder / "kubeconfig.yaml", {NAME: gateway.host, "kube-apiserver": "reader", SERVICE: f"{SERVICE}:{port}"}),
        (folder / "admission.yaml", {"namespace: basegate, path": f"namespace: basegate, port: {port}, path"}),
    ):
        _change(path, {FOLDER: str(folder), **changes})
    control = folder / "admission-control.yaml"
    control.write_text((ROOT / "config" / control.name).read_text(encoding="utf-8"), encoding="utf-8")
    _change(control, {FOLDER: str(folder)})
    return Lab(gateway, control, folder / "admission.yaml")


def _change(path: Path, changes: dict[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
