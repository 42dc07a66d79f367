"""The examples for compose and Kubernetes: the credentials that they describe are those of the server they start."""

from pathlib import Path
from typing import Any

import yaml

from policy.settings import Settings
from registry.auth.actions import Role
from registry.auth.bootstrap_file import read_bootstrap
from registry.config.sources import load
from tests.policy.cli.test_serve import status
from tests.server_process import serving

CONFIG = Path(__file__).parents[2] / "config"
SECRETS = {"admin": "a" * 48, "builder": "b" * 48, "reader": "c" * 48}


def document(name: str) -> Any:
    """An example, read."""
    return yaml.safe_load((CONFIG / name).read_text(encoding="utf-8"))


def mounted(folder: Path) -> Path:
    """The bootstrap file as both examples mount it: with a file for each secret beside it."""
    for name, secret in SECRETS.items():
        (folder / name).write_text(f"{secret}\n")
    path = folder / "bootstrap.yaml"
    path.write_bytes((CONFIG / "bootstrap.yaml").read_bytes())
    return path


def test_the_bootstrap_file_is_read(tmp_path: Path) -> None:
    """An owner, who pushes, and who pulls."""
    wanted = {item.name: (item.role, item.secret) for item in read_bootstrap(mounted(tmp_path))}
    roles = {"admin": Role.OWNER, "builder": Role.ACR_PUSH, "reader": Role.ACR_PULL}
    assert wanted == {name: (role, SECRETS[name]) for name, role in roles.items()}


def test_the_server_knows_them(tmp_path: Path) -> None:
    """From its first answer on."""
    with serving(tmp_path / "data", BASEGATE_BOOTSTRAP_FILE=str(mounted(tmp_path))) as server:
        assert [status(server.host, name, secret) for name, secret in SECRETS.items()] == [200] * 3


def test_compose_mounts_what_the_bootstrap_file_names() -> None:
    """In one folder; every secret is a file that the compose file names."""
    whole = document("compose.yaml")
    service = whole["services"]["basegate"]
    assert service["environment"]["BASEGATE_BOOTSTRAP_FILE"] == "/run/secrets/bootstrap.yaml"
    assert set(service["secrets"]) == set(whole["secrets"]) == {"bootstrap.yaml", *SECRETS}
    assert whole["secrets"]["bootstrap.yaml"]["file"] == "bootstrap.yaml"


def test_kubernetes_shares_the_secret_with_the_job() -> None:
    """The sidecar mounts it where its variable says, the job has the pusher's key of it."""
    pod = document("kubernetes-sidecar.yaml")["spec"]["template"]["spec"]
    sidecar, job = pod["initContainers"][0], pod["containers"][0]
    mounts = {item["name"]: item["mountPath"] for item in sidecar["volumeMounts"]}
    named = {item["name"]: item.get("value") for item in sidecar["env"]}
    key = next(item for item in job["env"] if item["name"] == "REGISTRY_PASSWORD")["valueFrom"]["secretKeyRef"]
    (secret,) = [item["secret"]["secretName"] for item in pod["volumes"] if "secret" in item]
    assert named["BASEGATE_BOOTSTRAP_FILE"] == f"{mounts['principals']}/bootstrap.yaml"
    assert key == {"name": secret, "key": "builder"}


def test_variables_are_settings() -> None:
    """The server takes what both examples put into its environment."""
    sidecar = document("kubernetes-sidecar.yaml")["spec"]["template"]["spec"]["initContainers"][0]
    given = document("compose.yaml")["services"]["basegate"]["environment"]
    for environment in (given, {item["name"]: item["value"] for item in sidecar["env"]}):
        assert load(Settings, None, {}, environment).log.format == "json"
