"""basegate as a container of testcontainers: the Dockerfile's image in docker, ready when it is entered."""

import secrets
import socket
import time
from typing import Any, Self

import httpx
import yaml
from testcontainers.core.container import DockerContainer

from policy.testing.credentials import Credentials
from registry.errors import BasegateError

START_SECONDS = 60.0
_PAUSE_SECONDS = 0.1
_STEP_SECONDS = 2.0
_PRINCIPALS = "/basegate-principals.yaml"
_SECRET_BYTES = 24


class NotReady(BasegateError):
    """The container does not come up; the message has the end of what it printed."""


class BasegateContainer(DockerContainer):
    """A registry with its gateway, over plain HTTP.

        with BasegateContainer("basegate").with_credentials("ci", "a secret of 16 or more") as registry:
            registry.get_registry()  # HOST:PORT

    Args:
        image: of basegate.
        port: that it listens on in the container.
        host_network: use the host's network, for a docker without a bridge: on a free port of 127.0.0.1.
        more: what `DockerContainer` takes.
    """

    def __init__(self, image: str = "basegate", port: int = 5000, *, host_network: bool = False, **more: Any) -> None:
        super().__init__(image, **more)
        self.port = _free_port() if host_network else port
        self.credentials: list[Credentials] = []
        self._host_network = host_network
        self._principals: list[dict[str, str]] = []
        if host_network:
            self.with_kwargs(network_mode="host")
            self.with_env("BASEGATE_LISTEN", f"127.0.0.1:{self.port}")
        else:
            self.with_exposed_ports(port)
            self.with_env("BASEGATE_LISTEN", f"0.0.0.0:{port}")

    def with_credentials(self, username: str, password: str = "", role: str = "Owner") -> Self:
        """A principal that is there from the start.

        Args:
            username: its name.
            password: its secret, 16 characters or more; "": a random one, which `credentials` has.
            role: `Owner`, `AcrPush`, `AcrPull` and so on.
        """
        secret = password or secrets.token_urlsafe(_SECRET_BYTES)
        self.credentials.append(Credentials(username, secret))
        self._principals.append({"name": username, "role": role, "secret": secret})
        return self

    def get_registry(self) -> str:
        """`HOST:PORT`, as image references have it."""
        if self._host_network:
            return f"127.0.0.1:{self.port}"
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(self.port)}"

    def start(self) -> Self:
        """Start it, and wait until it is ready to serve.

        Raises:
            NotReady: it is not after a minute.
        """
        if self._principals:
            self.with_env("BASEGATE_BOOTSTRAP_FILE", _PRINCIPALS)
            self.with_copy_into_container(yaml.safe_dump(self._principals).encode(), _PRINCIPALS)
        super().start()
        self._wait_until_ready()
        return self

    def _wait_until_ready(self) -> None:
        url, until = f"http://{self.get_registry()}/readyz", time.monotonic() + START_SECONDS
        while not _answers(url):
            if time.monotonic() > until:
                printed = b"".join(self.get_logs())[-2000:].decode("utf-8", "replace")
                self.stop()
                raise NotReady(f"{self.image} does not answer at {url} after {START_SECONDS:.0f} s: {printed}")
            time.sleep(_PAUSE_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=_STEP_SECONDS, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
