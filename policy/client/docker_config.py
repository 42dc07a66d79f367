"""Writing a credential where docker keeps it, or podman: a file of their form, or the helper that this file names.

podman and skopeo read the same file when they have none of their own (containers-auth.json(5)).
"""

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from registry.registry_client.credentials import HELPER_SECONDS, Credentials, CredentialsUnusable


def store(
    host: str, login: Credentials, environment: Mapping[str, str], home: Path, authfile: Path | None = None
) -> str:
    """Keep a credential for a registry, in the place of an earlier one; returns where it went.

    Args:
        host: `HOST[:PORT]`.
        login: name and secret.
        environment: `REGISTRY_AUTH_FILE` and `DOCKER_CONFIG` are heeded; PATH finds helpers.
        home: the person's home folder.
        authfile: a file of podman's (containers-auth.json(5)) instead.

    Raises:
        CredentialsUnusable: the file is damaged, or a helper fails; nothing was changed.
    """
    podmans = authfile or environment.get("REGISTRY_AUTH_FILE")
    file = Path(podmans) if podmans else Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    document = _read(file)
    helper = _helper(document, host)
    if helper:
        return _hand_over(helper, host, login, environment)
    auths = document.setdefault("auths", {})
    if not isinstance(auths, dict):
        raise CredentialsUnusable(f"{file}: auths is no object: repair it, or set DOCKER_CONFIG to another folder")
    text = base64.b64encode(f"{login.username}:{login.password}".encode()).decode("ascii")
    auths[host] = {"auth": text}
    _write(file, document)
    return str(file)


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise CredentialsUnusable(f"{file} cannot be read ({error}): repair it, or set DOCKER_CONFIG") from None
    if not isinstance(document, dict):
        raise CredentialsUnusable(f"{file} is no JSON object: repair it, or set DOCKER_CONFIG to another folder")
    return document


def _helper(document: Mapping[str, Any], host: str) -> str:
    """The helper that docker would ask for this registry; "" for none."""
    helpers = document.get("credHelpers")
    own = helpers.get(host) if isinstance(helpers, dict) else None
    name = own or document.get("credsStore")
    return name if isinstance(name, str) else ""


def _hand_over(helper: str, host: str, login: Credentials, environment: Mapping[str, str]) -> str:
    """Docker's credential helper protocol, `store`."""
    program = f"docker-credential-{helper}"
    entry = {"ServerURL": host, "Username": login.username, "Secret": login.password}
    try:
        done = subprocess.run(  # noqa: S603 - the person's own configuration names the program
            [program, "store"],
            input=json.dumps(entry).encode(),
            capture_output=True,
            timeout=HELPER_SECONDS,
            check=False,
            env=dict(environment),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CredentialsUnusable(f"{program} cannot be run ({type(error).__name__}): install it") from None
    if done.returncode:
        raise CredentialsUnusable(f"{program} refused the credential of {host}: see what it says by itself")
    return program


def _write(file: Path, document: Mapping[str, Any]) -> None:
    """Whole or not at all, and its owner's alone; a link is followed, so that the file it names stays the one."""
    target = file.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(document, stream, indent="\t")
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise CredentialsUnusable(f"{file} cannot be written: {error.strerror}") from None
