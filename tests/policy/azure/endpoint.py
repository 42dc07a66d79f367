"""A live basegate with its management endpoint, and clients for it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from registry.cli.certificate_authority import make_certificates
from tests.policy.live import LiveGateway, live_gateway
from tests.ports import free_port

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/default"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/myregistry"


@dataclass(frozen=True)
class LiveEndpoint:
    """The endpoint of a live gateway.

    Attributes:
        gateway: the registry beside it, with its principals.
        url: of the endpoint.
        ca: what its certificate is trusted by.
    """

    gateway: LiveGateway
    url: str
    ca: Path

    def client(self, **options: Any) -> httpx.Client:
        """A client that has not signed in; the caller closes it."""
        trust = ssl.create_default_context(cafile=self.ca)
        return httpx.Client(base_url=self.url, verify=trust, timeout=60, trust_env=False, **options)

    def token(self, name: str) -> str:
        """A token of a principal, got with its secret."""
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": self.gateway.secrets[name]}
        with self.client() as client:
            return str(client.post("/adfs/oauth2/token", data=form).raise_for_status().json()["access_token"])

    def signed_in(self, name: str = "admin") -> httpx.Client:
        """A client that has signed in as a principal; the caller closes it."""
        return self.client(headers={"Authorization": f"Bearer {self.token(name)}"})


@contextmanager
def live_endpoint(data: Path, *, azure: dict[str, Any] | None = None, **groups: Any) -> Iterator[LiveEndpoint]:
    """Serve over a new data folder, the registry over plain HTTP; `azure` adds to its settings."""
    made = make_certificates(data)
    port = free_port()
    settings = {"listen": f"127.0.0.1:{port}", **(azure or {})}
    named = {"registry_name": "myregistry"}
    with live_gateway(data, listen=f"127.0.0.1:{free_port()}", azure=settings, deployments=named, **groups) as gateway:
        yield LiveEndpoint(gateway, f"https://localhost:{port}", made.ca)


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Status, and the code of an error in ARM's form; the form is looked at as well."""
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"]
    return response.status_code, str(error["code"])
