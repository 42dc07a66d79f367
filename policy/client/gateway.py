"""A registry's gateway as its callers reach it over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from policy.client.credentials import Credentials
from policy.client.trust import known_ca_files, tls_context
from policy.gateway.answer import Answer
from policy.references import ImageReference, is_loopback

CHECK_PATH = "/policy/v1/references:check"


class CouldNotTell(Exception):
    """The gateway gave no answer: unreachable, not signed in, not a gateway. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How a registry is reached.

    Attributes:
        host: `HOST[:PORT]`.
        credentials: what to sign in with; `None` asks anonymously.
        ca_files: authorities trusted beside the system's; with any, HTTPS is used on loopback addresses too.
        plain_http: HTTP although the address is not loopback.
        timeout: seconds to wait for any one step.
    """

    host: str
    credentials: Credentials | None = None
    ca_files: tuple[Path, ...] = ()
    plain_http: bool = False
    timeout: float = 60.0

    @classmethod
    def to(cls, host: str, credentials: Credentials | None, ca_file: Path | None, home: Path, **rest: Any) -> Self:
        """A connection that trusts a given CA file, else what docker and podman trust for the host."""
        return cls(host, credentials, (ca_file,) if ca_file else known_ca_files(host, home), **rest)

    @property
    def scheme(self) -> str:
        """`http` on loopback addresses and when asked for, else `https`."""
        if self.plain_http or (is_loopback(self.host) and not self.ca_files):
            return "http"
        return "https"


def check(connection: Connection, image: ImageReference) -> Answer:
    """Ask whether a deployment may start from an image.

    Raises:
        CouldNotTell: no answer of the documented shape came back.
        TrustUnusable: a CA file cannot be used.
    """
    return Answer.from_document(_ask(connection, "POST", CHECK_PATH, {"reference": str(image)}))


def explain(connection: Connection, image: ImageReference) -> dict[str, Any]:
    """Ask for the verdict on an image with all facts and evidence. Raises as `check` does."""
    return _ask(connection, "GET", f"/policy/v1/repositories/{image.repository}/manifests/{image.reference}/verdict")


def _ask(connection: Connection, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    url = f"{connection.scheme}://{connection.host}{path}"
    login = connection.credentials
    try:
        response = httpx.request(
            method,
            url,
            json=body,
            auth=(login.username, login.password) if login else None,
            verify=tls_context(connection.ca_files) if connection.scheme == "https" else False,
            timeout=connection.timeout,
            trust_env=not is_loopback(connection.host),
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CouldNotTell(_unreachable(connection, error)) from None
    return _document(connection, response)


def _unreachable(connection: Connection, error: Exception) -> str:
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError) and connection.scheme == "http":
        return f"{connection.host} does not speak plain HTTP: give --ca-file FILE for HTTPS"
    what = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in what:
        return f"{connection.host} shows a certificate that is not trusted here: give --ca-file FILE ({what})"
    return f"{connection.host} cannot be reached over {connection.scheme} ({what}): is the registry running there?"


def _document(connection: Connection, response: httpx.Response) -> dict[str, Any]:
    document = _json(response)
    if response.status_code == httpx.codes.OK and _is_answer(document):
        return document
    raise CouldNotTell(_refusal(connection, response.status_code, document))


def _is_answer(document: Mapping[str, Any]) -> bool:
    try:
        Answer.from_document(document)
    except (KeyError, TypeError, ValueError):
        return False
    return True


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _refusal(connection: Connection, status: int, document: Mapping[str, Any]) -> str:
    host, login = connection.host, connection.credentials
    if status == httpx.codes.UNAUTHORIZED and login:
        return f"{host} refused the credentials of {login.username} (from {login.source}): sign in again"
    if status == httpx.codes.UNAUTHORIZED:
        return f"{host} asks for credentials: docker login {host}, or give --username and --password-stdin"
    errors = document.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict) and errors[0].get("message"):
        return f"{host}: {errors[0]['message']}"
    return f"{host} answered {status} without a verdict: is it a basegate registry?"
