"""Stored credentials: docker's and podman's files and helpers, in their order."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from registry.oci.image_reference import ImageReference
from registry.registry_client.credentials import TOKEN_USER, Credentials, CredentialsUnusable, stored_credentials

IMAGE = ImageReference.parse("localhost:5000/team/app:v1")


def encoded(username: str, password: str) -> str:
    """An `auth` member."""
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def keep(file: Path, document: Any) -> Path:
    """Write a JSON file, its folders included."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def helper(folder: Path, name: str, script: str) -> dict[str, str]:
    """An executable credential helper, and the environment that finds it."""
    file = keep(folder / f"docker-credential-{name}", f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def look(home: Path, **environment: str) -> tuple[str, str] | None:
    """Username and password found for the image, or `None`."""
    found = stored_credentials(IMAGE, environment, home)
    return (found.username, found.password) if found else None


def test_nothing_stored(tmp_path: Path) -> None:
    """A home without any file gives no credentials."""
    assert look(tmp_path) is None


def test_docker_config(tmp_path: Path) -> None:
    """`docker login` without a helper leaves an auth entry."""
    keep(tmp_path / ".docker/config.json", {"auths": {"localhost:5000": {"auth": encoded("alice", "s:e")}}})
    assert look(tmp_path) == ("alice", "s:e")


def test_another_host_is_not_used(tmp_path: Path) -> None:
    """Credentials never go to a registry they were not stored for."""
    keep(tmp_path / ".docker/config.json", {"auths": {"localhost:5001": {"auth": encoded("alice", "s")}}})
    assert look(tmp_path) is None


def test_docker_config_folder(tmp_path: Path) -> None:
    """`DOCKER_CONFIG` names the folder."""
    keep(tmp_path / "other/config.json", {"auths": {"localhost:5000": {"auth": encoded("bob", "s")}}})
    assert look(tmp_path, DOCKER_CONFIG=str(tmp_path / "other")) == ("bob", "s")


def test_old_docker_keys(tmp_path: Path) -> None:
    """Keys written as URLs name the same host."""
    keep(tmp_path / ".docker/config.json", {"auths": {"https://localhost:5000/v1/": {"auth": encoded("a", "b")}}})
    assert look(tmp_path) == ("a", "b")


def test_podman_wins_over_docker(tmp_path: Path) -> None:
    """podman's file in the run-time folder comes before docker's."""
    keep(tmp_path / "run/containers/auth.json", {"auths": {"localhost:5000": {"auth": encoded("podman", "p")}}})
    keep(tmp_path / ".docker/config.json", {"auths": {"localhost:5000": {"auth": encoded("docker", "d")}}})
    assert look(tmp_path, XDG_RUNTIME_DIR=str(tmp_path / "run")) == ("podman", "p")


def test_a_named_file_comes_first(tmp_path: Path) -> None:
    """`REGISTRY_AUTH_FILE` wins over every other place."""
    file = keep(tmp_path / "mine.json", {"auths": {"localhost:5000": {"username": "u", "password": "p"}}})
    keep(tmp_path / ".config/containers/auth.json", {"auths": {"localhost:5000": {"auth": encoded("x", "y")}}})
    assert look(tmp_path, REGISTRY_AUTH_FILE=str(file)) == ("u", "p")


def test_the_longest_path_wins(tmp_path: Path) -> None:
    """podman keeps credentials per namespace or repository."""
    places = {"host": "localhost:5000", "team": "localhost:5000/team", "te": "localhost:5000/te"}
    auths = {place: {"auth": encoded(user, "p")} for user, place in places.items()}
    keep(tmp_path / ".config/containers/auth.json", {"auths": auths})
    assert look(tmp_path) == ("team", "p")


@pytest.mark.parametrize("member", ["identitytoken", "registrytoken"])
def test_tokens(tmp_path: Path, member: str) -> None:
    """What `az acr login` leaves is a token, which goes with the null GUID as user."""
    entry = {"auth": encoded(TOKEN_USER, ""), member: "jwt"}
    keep(tmp_path / ".docker/config.json", {"auths": {"localhost:5000": entry}})
    assert look(tmp_path) == (TOKEN_USER, "jwt")


def test_credential_helper_of_the_host(tmp_path: Path) -> None:
    """A helper is asked for exactly this host."""
    environment = helper(
        tmp_path / "bin", "demo", 'read host; echo "{\\"Username\\":\\"$host\\",\\"Secret\\":\\"s\\"}"'
    )
    keep(tmp_path / ".docker/config.json", {"credHelpers": {"localhost:5000": "demo"}})
    assert look(tmp_path, **environment) == ("localhost:5000", "s")


def test_credential_store_with_token(tmp_path: Path) -> None:
    """`<token>` as user means that the secret is a token."""
    environment = helper(tmp_path / "bin", "demo", 'echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"jwt\\"}"')
    keep(tmp_path / ".docker/config.json", {"credsStore": "demo", "auths": {"localhost:5000": {}}})
    assert look(tmp_path, **environment) == (TOKEN_USER, "jwt")


def test_a_store_without_the_host(tmp_path: Path) -> None:
    """A helper that fails for an unknown host means that nothing is stored."""
    environment = helper(tmp_path / "bin", "demo", 'echo "credentials not found"; exit 1')
    keep(tmp_path / ".docker/config.json", {"credsStore": "demo"})
    assert look(tmp_path, **environment) is None


def test_a_missing_helper_is_said(tmp_path: Path) -> None:
    """A configured helper that is not installed is named."""
    keep(tmp_path / ".docker/config.json", {"credHelpers": {"localhost:5000": "absent"}})
    with pytest.raises(CredentialsUnusable, match="docker-credential-absent"):
        look(tmp_path, PATH=str(tmp_path))


@pytest.mark.parametrize(
    "text", ["{", *(f'{{"auths": {{"localhost:5000": {{"auth": "{auth}"}}}}}}' for auth in ("%%%", "é"))]
)
def test_damaged_files_are_said(tmp_path: Path, text: str) -> None:
    """A damaged file is named, and not skipped in silence."""
    keep(tmp_path / ".docker/config.json", text)
    with pytest.raises(CredentialsUnusable, match=r"config\.json"):
        look(tmp_path)


@pytest.mark.parametrize(
    "document", [[], {"auths": []}, {"auths": {"localhost:5000": 3}}, {"auths": {"localhost:5000": {}}}]
)
def test_odd_files_give_nothing(tmp_path: Path, document: object) -> None:
    """Members of an unexpected type count as absent."""
    keep(tmp_path / ".docker/config.json", document)
    assert look(tmp_path) is None


def test_the_password_does_not_show() -> None:
    """Credentials print without their secret."""
    assert "hunter2" not in repr(Credentials("u", "hunter2", "flags"))
