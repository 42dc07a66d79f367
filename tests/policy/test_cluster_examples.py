"""The example for compose of several nodes: its parts fit each other, and the server's settings."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy.settings import Settings
from registry.config.sources import load

FOLDER = Path(__file__).parents[2] / "config" / "cluster"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
NODES = ("first", "second")
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_it_is_a_file_of_compose() -> None:
    """By the schema of the specification."""
    program = str(Path(sys.executable).with_name("check-jsonschema"))
    command = [program, "--builtin-schema", "vendor.compose-spec", str(FOLDER / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("node", NODES)
def test_variables_are_settings(node: str) -> None:
    """The server takes them; what nodes share is the same."""
    settings, first = (load(Settings, None, {}, SERVICES[name]["environment"]) for name in (node, "first"))
    assert (settings.storage, settings.metadata) == (first.storage, first.metadata)
    assert [str(network) for network in settings.server.trusted_proxies] == [
        COMPOSE["networks"]["default"]["ipam"]["config"][0]["subnet"]
    ]


@pytest.mark.parametrize("node", NODES)
def test_secrets_that_are_named_are_mounted(node: str) -> None:
    """And each is a file."""
    service = SERVICES[node]
    named = [value for value in service["environment"].values() if value.startswith("/run/secrets/")]
    assert {Path(name).name for name in named} <= set(service["secrets"]) <= COMPOSE["secrets"].keys()


def test_nodes_share_keys_and_nothing_else() -> None:
    """Of their data folders."""
    first, second = (set(SERVICES[node]["volumes"]) for node in NODES)
    assert first & second == {"keys:/data/keys"}


def test_nginx_knows_the_nodes() -> None:
    """By the names and the port that compose gives them."""
    text = (FOLDER / "nginx.conf").read_text(encoding="utf-8")
    assert tuple(re.findall(r"server (\w+):5000 ", text)) == NODES
    assert SERVICES["nginx"]["ports"] == ["127.0.0.1:5000:5000"]
    assert "listen 5000;" in text


def test_the_database_and_the_store_are_those_of_the_nodes() -> None:
    """By name and port."""
    settings = SERVICES["first"]["environment"]
    assert "@postgres:5432/" in settings["BASEGATE_METADATA__URL"]
    assert settings["BASEGATE_STORAGE__ENDPOINT"] == f"http://objects{SERVICES['objects']['command'][1]}"


def test_the_commands_make_every_secret() -> None:
    """Those that its first lines show."""
    shown = (FOLDER / "compose.yaml").read_text(encoding="utf-8").partition("x-node")[0]
    files = {secret["file"] for secret in COMPOSE["secrets"].values()} | set(SERVICES["objects"]["env_file"])
    wanted = {Path(file).name for file in files if file.startswith("secrets/")}
    assert [name for name in wanted if not re.search(rf"\b{re.escape(name)}\b", shown)] == []
