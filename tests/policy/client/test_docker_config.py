"""A credential is kept where docker reads it, and nothing else of the file changes."""

import json
from pathlib import Path

import pytest

from policy.client.docker_config import store
from registry.oci.image_reference import ImageReference
from registry.registry_client.credentials import Credentials, CredentialsUnusable, stored_credentials

LOGIN = Credentials("ci", "s3cret", "a test")
HOST = "localhost:5000"


def kept(home: Path, **environment: str) -> tuple[str, str]:
    """The name and secret that `basegate check` would find."""
    found = stored_credentials(ImageReference.parse(f"{HOST}/a:v1"), environment, home)
    assert found
    return found.username, found.password


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """And holds what docker would have written."""
    where = Path(store(HOST, LOGIN, {}, tmp_path))
    assert where == tmp_path / ".docker/config.json"
    assert where.stat().st_mode & 0o777 == 0o600
    assert kept(tmp_path) == ("ci", "s3cret")


def test_everything_else_stays(tmp_path: Path) -> None:
    """Other registries, and members that are docker's own."""
    file = tmp_path / "config.json"
    file.write_text('{"auths": {"other": {"auth": "eA=="}, "localhost:5000": {"auth": "eQ=="}}, "detachKeys": "x"}')
    store(HOST, LOGIN, {"DOCKER_CONFIG": str(tmp_path)}, tmp_path)
    document = json.loads(file.read_text())
    assert document["detachKeys"] == "x"
    assert document["auths"]["other"] == {"auth": "eA=="}
    assert kept(tmp_path, DOCKER_CONFIG=str(tmp_path)) == ("ci", "s3cret")


@pytest.mark.parametrize("text", ['{"credsStore": "own"}', '{"credHelpers": {"localhost:5000": "own"}}'])
def test_a_helper_gets_it(tmp_path: Path, text: str) -> None:
    """The file names it, and then does not hold the secret."""
    program = tmp_path / "docker-credential-own"
    program.write_text(f'#!/bin/sh\n[ "$1" = store ] && cat > {tmp_path}/got\n')
    program.chmod(0o755)
    (tmp_path / "config.json").write_text(text)
    environment = {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert store(HOST, LOGIN, environment, tmp_path) == "docker-credential-own"
    assert json.loads((tmp_path / "got").read_text()) == {"ServerURL": HOST, "Username": "ci", "Secret": "s3cret"}
    assert "s3cret" not in (tmp_path / "config.json").read_text()


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": []}', '{"credsStore": "absent"}'])
def test_what_cannot_be_used_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    """The message names it, and not the secret."""
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(CredentialsUnusable) as refused:
        store(HOST, LOGIN, {"DOCKER_CONFIG": str(tmp_path), "PATH": "/nowhere"}, tmp_path)
    assert "s3cret" not in str(refused.value)
    assert file.read_text() == text
