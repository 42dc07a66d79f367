"""Whom to ask about an image, and as whom: the flags of the commands that talk to a registry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policy.client.credentials import Credentials, stored_credentials
from policy.client.gateway import Connection, CouldNotTell
from policy.gateway.inference_registry import RegistryLogin
from policy.references import ImageReference


@dataclass(frozen=True, slots=True)
class Asking:
    """What the caller said on the command line.

    Attributes:
        gateway: `HOST[:PORT]` to ask; "" for the image's own registry.
        login: credentials from flags; `None` when none were given.
        ca_file: an authority trusted beside the system's.
        plain_http: HTTP although the address is not loopback.
        timeout: seconds to wait for any one step.
        environment: where docker's and podman's variables are looked up.
        home: the person's home folder.
    """

    environment: Mapping[str, str] = field(repr=False)
    home: Path
    gateway: str = ""
    login: Credentials | None = None
    ca_file: Path | None = None
    plain_http: bool = False
    timeout: float = 60.0

    def connection(self, image: ImageReference, configured: RegistryLogin | None = None) -> Connection:
        """The way to the gateway.

        Args:
            image: what is asked about.
            configured: the registry that an inference configuration names, with its credentials; they are sent to
                that registry only.

        Raises:
            CouldNotTell: the image names no registry, and no gateway was named.
            CredentialsUnusable: stored credentials are damaged.
        """
        host = self.gateway or image.host
        if not host:
            wanted = f"HOST:PORT/{image.repository}"
            raise CouldNotTell(f"{image} names no registry, so docker.io is meant: write {wanted}, or give --gateway")
        login = self.login or _own(configured, host) or stored_credentials(image.at(host), self.environment, self.home)
        return Connection.to(host, login, self.ca_file, self.home, plain_http=self.plain_http, timeout=self.timeout)


def _own(configured: RegistryLogin | None, host: str) -> Credentials | None:
    if configured is None or not configured.username or configured.host != host:
        return None
    return Credentials(configured.username, configured.password, "the inference configuration")
