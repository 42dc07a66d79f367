"""The management endpoint as its callers reach it: signing in, and quick builds."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from policy.client.api import CheckNotPossible
from registry.oci.image_reference import is_loopback
from registry.registry_client.credentials import Credentials
from registry.registry_client.trust import tls_context

_PAUSE_SECONDS = 0.5
_ACR = "Microsoft.ContainerRegistry/registries"
_METADATA = "/metadata/endpoints?api-version=2022-09-01"
GOOD_END = "successful"


class BuildRefused(CheckNotPossible):
    """The endpoint does not build this; the message is its own."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How an endpoint is reached.

    Attributes:
        url: `https://HOST:PORT`.
        ca_file: an authority trusted beside the system's.
        timeout: seconds to wait for any one step.
    """

    url: str
    ca_file: Path | None = None
    timeout: float = 60.0

    def client(self, **options: Any) -> httpx.Client:
        """A client for it; the caller closes it."""
        host = self.url.partition("://")[2].partition("/")[0]
        trust = tls_context((self.ca_file,) if self.ca_file else ())
        base = self.url.rstrip("/")
        return httpx.Client(
            base_url=base, verify=trust, timeout=self.timeout, trust_env=not is_loopback(host), **options
        )

    def cloud(self) -> dict[str, Any]:
        """Its cloud metadata.

        Raises:
            CheckNotPossible: there is no endpoint.
        """
        with self.client() as client:
            metadata = _asked(client, "GET", _METADATA)
        if not isinstance(metadata.get("name"), str) or not isinstance(metadata.get("resourceManager"), str):
            raise CheckNotPossible(f"{self.url} is no management endpoint of basegate: azure.listen names its address")
        return metadata


class Builder:
    """Somebody who has signed in, and has something built.

    Args:
        client: of the endpoint; closed by its owner.
        login: who signs in.

    Raises:
        CheckNotPossible: the endpoint is not there, or refuses the login.
    """

    def __init__(self, client: httpx.Client, login: Credentials) -> None:
        self._client = client
        form = {"grant_type": "client_credentials", "client_id": login.username, "client_secret": login.password}
        token = _asked(client, "POST", "/adfs/oauth2/token", data=form)["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        subscription = self._only("/subscriptions")["id"]
        self._registry = self._only(f"{subscription}/providers/{_ACR}")["id"]

    def send(self, context: IO[bytes]) -> str:
        """Send a context; returns where it lies."""
        place = _asked(self._client, "POST", f"{self._registry}/listBuildSourceUploadUrl")
        size = context.seek(0, 2)
        context.seek(0)
        headers = {"Content-Length": str(size), "x-ms-blob-type": "BlockBlob", "Authorization": ""}
        _asked(self._client, "PUT", _path_of(place["uploadUrl"]), content=context, headers=headers)
        return str(place["relativePath"])

    def begin(self, request: Mapping[str, Any]) -> str:
        """Have it built; returns the run's id."""
        asked = _asked(self._client, "POST", f"{self._registry}/scheduleRun", json=dict(request))
        return str(asked["properties"]["runId"])

    def follow(self, run: str, show: Callable[[str], None]) -> str:
        """Show the log while it grows; returns how the run ended."""
        link = _asked(self._client, "POST", f"{self._registry}/runs/{run}/listLogSasUrl")["logLink"]
        read, path = 0, _path_of(link)
        while True:
            head = self._client.head(path)
            complete = head.headers.get("x-ms-meta-complete", "")
            size = int(head.headers.get("content-length", "0"))
            if size > read:
                piece = self._client.get(path, headers={"x-ms-range": f"bytes={read}-{size - 1}"})
                read += len(piece.content)
                show(piece.text.replace("\r\n", "\n"))
            elif complete or head.is_error:
                return complete or "unknown"
            else:
                time.sleep(_PAUSE_SECONDS)

    def cancel(self, run: str) -> None:
        """End it."""
        self._client.post(f"{self._registry}/runs/{run}/cancel")

    def _only(self, path: str) -> dict[str, Any]:
        items = _asked(self._client, "GET", path).get("value")
        if not isinstance(items, list) or not items or not isinstance(items[0], dict):
            raise CheckNotPossible(f"{self._client.base_url} shows nothing at {path}: is it a basegate?")
        return items[0]


def _path_of(url: str) -> str:
    """Addresses are followed at the endpoint that gave them, and nowhere else."""
    parts = httpx.URL(url)
    return parts.raw_path.decode("ascii")


def _asked(client: httpx.Client, method: str, path: str, **options: Any) -> dict[str, Any]:
    """The JSON of a good answer; an empty one is an empty object."""
    try:
        answer = client.request(method, path, **options)
        document = answer.json() if answer.content else {}
    except ValueError:
        document = {}
    except httpx.HTTPError as error:
        hint = "give --ca-file FILE" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "is azure.listen set there?"
        raise CheckNotPossible(f"{client.base_url} cannot be reached ({error}): {hint}") from None
    if not isinstance(document, dict):
        document = {}
    if answer.is_error:
        raise BuildRefused(_refusal(answer, document))
    return document


def _refusal(answer: httpx.Response, document: Mapping[str, Any]) -> str:
    error = document.get("error")
    if isinstance(error, dict) and error.get("message"):
        return str(error["message"])
    return str(document.get("error_description") or f"the endpoint answered {answer.status_code}")
