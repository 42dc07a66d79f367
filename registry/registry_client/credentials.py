"""Credentials that docker and podman have stored for a registry.

Order, as podman documents it (containers-auth.json(5)): `REGISTRY_AUTH_FILE`, `XDG_RUNTIME_DIR/containers/auth.json`,
`~/.config/containers/auth.json`, then docker's `DOCKER_CONFIG/config.json` or `~/.docker/config.json`. In each file a
credential helper of the host wins over a stored entry, and the longest matching path over the bare host.
"""

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry.errors import BasegateError
from registry.oci.image_reference import ImageReference

TOKEN_USER = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - who signs in with a token as password (ACR)
HELPER_TOKEN_USER = "<token>"  # noqa: S105 - what docker's helpers answer for a token
HELPER_SECONDS = 30
_DOCKER_HUB = ("docker.io", "index.docker.io")


class CredentialsUnusable(BasegateError):
    """A stored credential cannot be used; the message names the file or helper and says what to do."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and password for Basic authentication.

    Attributes:
        username: a name, a GUID, or the null GUID when the password is a token.
        password: the secret; never shown.
        source: the file or helper it comes from, for messages.
    """

    username: str
    password: str = field(repr=False)
    source: str


def stored_credentials(image: ImageReference, environment: Mapping[str, str], home: Path) -> Credentials | None:
    """The credentials stored for an image's registry, or `None`.

    Args:
        image: whose host and repository are looked up.
        environment: the process environment; PATH finds the helpers.
        home: the person's home folder.

    Raises:
        CredentialsUnusable: a file is damaged, or a helper fails.
    """
    for file in _files(environment, home):
        document = _read(file)
        credentials = _from_file(document, image, file, environment) if document else None
        if credentials:
            return credentials
    return None


def credentials_of_file(file: Path, image: ImageReference, environment: Mapping[str, str]) -> Credentials:
    """The credentials that one file has for an image's registry.

    Raises:
        CredentialsUnusable: the file is absent or damaged, has none for it, or its helper fails.
    """
    document = _read(file)
    if document is None:
        raise CredentialsUnusable(f"{file} is not there: it was to have the credentials for {image.host}")
    credentials = _from_file(document, image, file, environment)
    if credentials is None:
        raise CredentialsUnusable(f"{file} has no credentials for {image.host}: sign in there, or name no file")
    return credentials


def _files(environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    if environment.get("REGISTRY_AUTH_FILE"):
        yield Path(environment["REGISTRY_AUTH_FILE"])
    if environment.get("XDG_RUNTIME_DIR"):
        yield Path(environment["XDG_RUNTIME_DIR"]) / "containers/auth.json"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers/auth.json"
    yield Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise CredentialsUnusable(f"{file} cannot be read ({error}): repair it, or give --username") from None
    return document if isinstance(document, dict) else None


def _from_file(
    document: Mapping[str, Any], image: ImageReference, file: Path, environment: Mapping[str, str]
) -> Credentials | None:
    helper = _table(document, "credHelpers").get(image.host)
    if isinstance(helper, str) and helper:
        return _ask_helper(helper, image.host, environment)
    for key in _keys(image):
        credentials = _entry(_auths(document).get(key), file)
        if credentials:
            return credentials
    store = document.get("credsStore")
    return _ask_helper(store, image.host, environment) if isinstance(store, str) and store else None


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = document.get(name)
    return table if isinstance(table, dict) else {}


def _auths(document: Mapping[str, Any]) -> dict[str, Any]:
    """Entries by host or host/path; docker once wrote keys as `https://host/v1/`."""
    return {_bare(key): entry for key, entry in _table(document, "auths").items()}


def _bare(key: str) -> str:
    if "://" not in key:
        return key.rstrip("/")
    host = key.partition("://")[2].partition("/")[0]
    return "docker.io" if host in _DOCKER_HUB else host


def _keys(image: ImageReference) -> Iterator[str]:
    """`host/a/b`, `host/a`, `host`: the longest first."""
    parts = [image.host, *image.repository.split("/")]
    for length in range(len(parts), 0, -1):
        yield "/".join(parts[:length])


def _entry(entry: Any, file: Path) -> Credentials | None:
    if not isinstance(entry, dict):
        return None
    token = entry.get("identitytoken") or entry.get("registrytoken")
    if isinstance(token, str) and token:
        return Credentials(TOKEN_USER, token, str(file))
    if isinstance(entry.get("username"), str) and isinstance(entry.get("password"), str) and entry["username"]:
        return Credentials(entry["username"], entry["password"], str(file))
    return _decoded(entry.get("auth"), file)


def _decoded(auth: Any, file: Path) -> Credentials | None:
    if not isinstance(auth, str) or not auth:
        return None
    try:
        username, colon, password = base64.b64decode(auth, validate=True).decode().rstrip("\0").partition(":")
    except ValueError:  # no base64, no ASCII, or bytes that are no UTF-8
        raise CredentialsUnusable(f"an auth entry in {file} is not base64 text: sign in again") from None
    return Credentials(username, password, str(file)) if colon and username else None


def _ask_helper(name: str, host: str, environment: Mapping[str, str]) -> Credentials | None:
    """Docker's credential helper protocol: the host on standard input, `{"Username", "Secret"}` back."""
    program = f"docker-credential-{name}"
    try:
        done = subprocess.run(  # noqa: S603 - the person's own configuration names the program
            [program, "get"],
            input=host.encode(),
            capture_output=True,
            timeout=HELPER_SECONDS,
            check=False,
            env=dict(environment),
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise CredentialsUnusable(f"{program} failed for {host} ({type(error).__name__}): give --username") from None
    if not isinstance(answer, dict) or not answer.get("Secret"):
        return None
    username = str(answer.get("Username") or "")
    return Credentials(TOKEN_USER if username == HELPER_TOKEN_USER else username, str(answer["Secret"]), program)
