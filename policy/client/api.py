"""HTTP client of a registry's gateway."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from policy.gateway.check_result import CheckResult
from policy.gateway.inference_config.secrets import without_secrets
from registry.errors import BasegateError, reason_of
from registry.oci.image_reference import ImageReference, is_loopback
from registry.registry_client.credentials import Credentials
from registry.registry_client.trust import known_ca_files, tls_context

CHECK_PATH = "/policy/v1/references:check"
PENDING = "pending"
_HTTPS = "speaks HTTPS"
_PAUSE_SECONDS = 1.0
_GOOD = (httpx.codes.OK, httpx.codes.CREATED)

Login = Callable[[], Credentials | None]
"""Looks credentials up when they are needed."""


class CheckNotPossible(BasegateError):
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
        others: what to try next, in this order, while the registry answers 401.
    """

    host: str
    credentials: Credentials | None = None
    ca_files: tuple[Path, ...] = ()
    plain_http: bool = False
    timeout: float = 60.0
    others: tuple[Login, ...] = ()

    def logins(self) -> Iterator[Credentials | None]:
        """The credentials to try, in order."""
        yield self.credentials
        yield from filter(None, (find() for find in self.others))

    @classmethod
    def to(cls, host: str, credentials: Credentials | None, ca_file: Path | None, home: Path, **rest: Any) -> Self:
        """A connection that trusts the given CA file, or else the CA files of docker and podman for the host."""
        return cls(host, credentials, (ca_file,) if ca_file else known_ca_files(host, home), **rest)

    @property
    def scheme(self) -> str:
        """`http` on loopback addresses and when asked for, else `https`."""
        if self.plain_http or (is_loopback(self.host) and not self.ca_files):
            return "http"
        return "https"


def check(connection: Connection, image: ImageReference) -> CheckResult:
    """Ask whether a deployment may start from an image.

    Raises:
        CheckNotPossible: no answer of the documented shape came back.
        TrustUnusable: a CA file cannot be used.
    """
    return CheckResult.from_document(_ask(connection, "POST", CHECK_PATH, {"reference": str(image)}))


def check_config(connection: Connection, document: Mapping[str, Any], wait: float) -> CheckResult:
    """Check a whole inference configuration; a setting of the gateway may say which image it means.

    The document is sent without its secrets. Waits and raises as `check_again` does.
    """
    body = {"inferenceConfig": without_secrets(document)}
    return _again(lambda: CheckResult.from_document(_ask(connection, "POST", CHECK_PATH, body)), wait)


def check_again(connection: Connection, image: ImageReference, wait: float) -> CheckResult:
    """Repeat `check` while the verdict is pending, for at most `wait` seconds.

    The registry itself also waits at each request (its setting `policy.wait_seconds`). Errors of `check` are raised
    at once.
    """
    return _again(lambda: check(connection, image), wait)


def _again(ask_once: Callable[[], CheckResult], wait: float) -> CheckResult:
    end = time.monotonic() + wait
    answer = ask_once()
    while answer.verdict == PENDING and (left := end - time.monotonic()) > 0:
        time.sleep(min(_PAUSE_SECONDS, left))
        answer = ask_once()
    return answer


def explain(connection: Connection, image: ImageReference) -> dict[str, Any]:
    """The verdict on an image with all facts and evidence, as JSON. Raises as `check` does."""
    return _ask(connection, "GET", f"/policy/v1/repositories/{image.repository}/manifests/{image.reference}/verdict")


def ask(connection: Connection, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the gateway answers, an object; each of the connection's credentials is tried.

    Raises:
        CheckNotPossible: it refuses, is none, or is not there.
        TrustUnusable: a CA file cannot be used.
    """
    return _asked(connection, method, path, body, lambda _document: True)


def _ask(connection: Connection, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return _asked(connection, method, path, body, _is_answer)


def _asked(
    connection: Connection,
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
    is_right: Callable[[Mapping[str, Any]], bool],
) -> dict[str, Any]:
    refused: list[Credentials] = []
    for login in connection.logins():
        response = send(connection, login, method, path, body)
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return _document(connection, response, is_right)
        refused += [login] if login else []
    raise CheckNotPossible(_unauthorised(connection.host, refused))


def send(  # noqa: PLR0913, PLR0917
    connection: Connection,
    login: Credentials | None,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Send one request to this host only: redirections and token challenges are not followed.

    Raises:
        CheckNotPossible: the host cannot be reached, or does not speak HTTP.
    """
    try:
        response = httpx.request(
            method,
            f"{connection.scheme}://{connection.host}{path}",
            json=body,
            headers=headers,
            auth=(login.username, login.password) if login else None,
            verify=tls_context(connection.ca_files) if connection.scheme == "https" else False,
            timeout=connection.timeout,
            trust_env=not is_loopback(connection.host),
            follow_redirects=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CheckNotPossible(_unreachable(connection, error)) from None
    if connection.scheme == "http" and response.status_code == httpx.codes.BAD_REQUEST and _HTTPS in response.text:
        raise CheckNotPossible(_needs_https(connection))
    return response


def _needs_https(connection: Connection) -> str:
    return f"{connection.host} does not speak plain HTTP: give --ca-file FILE for HTTPS"


def _unreachable(connection: Connection, error: Exception) -> str:
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError) and connection.scheme == "http":
        return _needs_https(connection)
    reason = reason_of(error)
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return f"{connection.host} shows a certificate that is not trusted here: give --ca-file FILE ({reason})"
    return f"{connection.host} cannot be reached over {connection.scheme} ({reason}): is the registry running there?"


def _document(
    connection: Connection, response: httpx.Response, is_right: Callable[[Mapping[str, Any]], bool]
) -> dict[str, Any]:
    document = _json(response)
    if response.status_code in _GOOD and document and is_right(document):
        return document
    raise CheckNotPossible(_refusal(connection.host, response.status_code, document))


def _is_answer(document: Mapping[str, Any]) -> bool:
    try:
        CheckResult.from_document(document)
    except (KeyError, TypeError, ValueError):
        return False
    return True


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _unauthorised(host: str, refused: Sequence[Credentials]) -> str:
    if not refused:
        return f"{host} asks for credentials: docker login {host}, or give --username and --password-stdin"
    tried = ", and of ".join(f"{login.username} (from {login.source})" for login in refused)
    return f"{host} refused the credentials of {tried}: sign in again"


def _refusal(host: str, status: int, document: Mapping[str, Any]) -> str:
    errors = document.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict) and errors[0].get("message"):
        return f"{host}: {errors[0]['message']}"
    return f"{host} answered {status} without a verdict: is it a basegate registry?"
