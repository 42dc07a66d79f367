"""Asks a basegate's own API: one request at a time, signed in, never in plain HTTP to another machine."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from registry.errors import BasegateError, reason_of
from registry.oci.image_reference import ImageReference, is_loopback
from registry.oci.names import RepositoryName
from registry.registry_client.credentials import Credentials, stored_credentials
from registry.registry_client.endpoint import Endpoint
from registry.registry_client.errors import SignInRefused, Unreachable, Unusable

# Stored credentials are chosen by the longest path in common with an image; this name has none in common.
_NOBODYS = RepositoryName("-")
_MAXIMUM = 64 << 20
_HTTPS = b"speaks HTTPS"


class PlainHttpRefused(BasegateError):
    """A secret, or a change, would go to another machine in plain HTTP."""


class Refused(BasegateError):
    """The registry refuses what it was asked for; the message is its own."""


@dataclass(frozen=True, slots=True)
class AdministrationClient:
    """A registry, and how to sign in there.

    Attributes:
        endpoint: where it is.
        login: sent with every request; `None`: nobody signs in.
        timeout: seconds to wait for any one step.
    """

    endpoint: Endpoint
    login: Credentials | None
    timeout: float = 60.0

    @classmethod
    def to(  # noqa: PLR0913, PLR0917
        cls,
        address: str,
        login: Credentials | None,
        environment: Mapping[str, str],
        home: Path,
        ca_file: Path | None = None,
        timeout: float = 60.0,
    ) -> "AdministrationClient":
        """A client of `HOST[:PORT]` or `https://HOST[:PORT]`; without a login, with what docker or podman has stored.

        Raises:
            EndpointUnusable: no such address.
            PlainHttpRefused: plain HTTP to another machine.
            CredentialsUnusable: stored credentials are damaged.
        """
        if address.lower().startswith("http://") and not is_loopback(address[7:].rstrip("/")):
            raise PlainHttpRefused(
                f"{address[:255]} is plain HTTP to another machine, where anybody between could read the secret and "
                "change what is asked: serve it over HTTPS (docs/operations.md, HTTPS), or run the command there"
            )
        endpoint = Endpoint.parse(address, ca_files=(ca_file,) if ca_file else None)
        found = login or stored_credentials(ImageReference(endpoint.name, _NOBODYS), environment, home)
        return cls(endpoint, found, timeout)

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | Sequence[str]] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """The document of the answer; `None` when it has none. Redirections are not followed.

        Raises:
            Unreachable, Unusable: no answer of this API came back.
            SignInRefused: no credentials, or wrong ones.
            Refused: the registry says no, and why.
            TrustUnusable: a CA file cannot be used.
        """
        status, raw = self._send(method, path, query, body)
        if status == httpx.codes.UNAUTHORIZED:
            raise SignInRefused(self._unauthorised())
        if status == httpx.codes.BAD_REQUEST and _HTTPS in raw:
            raise Unreachable(f"{self.endpoint.name} does not speak plain HTTP: give --ca-file FILE for HTTPS")
        if httpx.codes.is_success(status) and not raw:
            return None
        return self._document(status, path, raw)

    def _send(
        self, method: str, path: str, query: Mapping[str, str | Sequence[str]] | None, body: Mapping[str, Any] | None
    ) -> tuple[int, bytes]:
        """Status and body."""
        endpoint = self.endpoint
        try:
            with httpx.stream(
                method,
                f"{endpoint.url}{path}",
                params=query or None,
                json=body,
                auth=(self.login.username, self.login.password) if self.login else None,
                verify=endpoint.trust() if endpoint.scheme == "https" else True,
                timeout=self.timeout,
                trust_env=not endpoint.is_loopback,
                follow_redirects=False,
            ) as response:
                raw = bytearray()
                for piece in response.iter_bytes():
                    raw += piece
                    if len(raw) > _MAXIMUM:
                        raise Unusable(
                            f"{endpoint.name} answered more than {_MAXIMUM} bytes: is it a basegate registry?"
                        )
                return response.status_code, bytes(raw)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(self._unreachable(error)) from None

    def _document(self, status: int, path: str, raw: bytes) -> Any:
        name = self.endpoint.name
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            document = None
        if httpx.codes.is_success(status) and document is not None:
            return document
        message = _message(document)
        if message:
            raise Refused(message)
        raise Unusable(f"{name} answered {status} to {path}: is it a basegate registry?")

    def _unauthorised(self) -> str:
        name = self.endpoint.name
        if self.login is None:
            return f"{name} asks for credentials: basegate login {name}, or give --username and --password-stdin"
        return f"{name} refused the credentials of {self.login.username} (from {self.login.source}): sign in again"

    def _unreachable(self, error: Exception) -> str:
        name, reason = self.endpoint.name, reason_of(error)
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            return f"{name} shows a certificate that is not trusted here: give --ca-file FILE ({reason})"
        if self.endpoint.scheme == "http" and isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
            return f"{name} does not speak plain HTTP: give --ca-file FILE for HTTPS"
        return f"{name} cannot be reached over {self.endpoint.scheme} ({reason}): is the registry running there?"


def _message(document: Any) -> str:
    errors = document.get("errors") if isinstance(document, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return str(first.get("message") or "") if isinstance(first, dict) else ""
