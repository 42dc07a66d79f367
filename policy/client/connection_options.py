"""Which gateway to ask, and with which credentials: the options of commands that talk to a registry.

Credentials are sent only where they belong. Those from options go to the registry that the caller names (`--gateway`
or the image argument), never to one that only a file names; those in a file, to the registry that the file names for
them; those stored by docker or podman, to the registry they were stored for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policy.client.api import CheckNotPossible, Connection, Login
from policy.gateway.inference_config.registry_login import RegistryLogin
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName
from registry.registry_client.credentials import Credentials, stored_credentials

# Stored credentials are chosen by the longest path in common with the image; this name has none in common.
_NOBODYS = RepositoryName("-")
_HOST = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """The options given on the command line.

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

    def connection(self, image: ImageReference) -> Connection:
        """The connection for an image that the caller named.

        Raises:
            CheckNotPossible: neither the image nor the caller names a registry, or it is no HOST[:PORT].
            CredentialsUnusable: stored credentials are damaged.
        """
        host = self._host(image)
        return self.to(host, self.login or self._stored(image, host))

    def connection_to_gateway(self) -> Connection:
        """The connection to the gateway that the caller named, without an image.

        Raises:
            CheckNotPossible: none was named, or it is no HOST[:PORT].
            CredentialsUnusable: stored credentials are damaged.
        """
        if not self.gateway:
            raise CheckNotPossible("no registry is named: give --gateway HOST:PORT, or set BASEGATE_GATEWAY")
        return self.connection(ImageReference(self.gateway.lower(), _NOBODYS))

    def connection_from_file(self, image: ImageReference, configured: RegistryLogin | None) -> Connection:
        """The connection for an image that an inference configuration names.

        Args:
            image: the image to check.
            configured: the registry that the configuration names for it, with credentials; they are sent to that
                registry only, after the caller's own and before stored ones.

        Raises:
            CheckNotPossible: as `connection` does, or the caller's credentials would go to a registry that only the
                file names.
            CredentialsUnusable: stored credentials are damaged.
        """
        host = self._host(image)
        own = _own(configured, host)
        if self.login is None:
            return self.to(host, own, lambda: self._stored(image, host)) if own else self.connection(image)
        if self.gateway:
            return self.to(host, self.login, *([lambda: own] if own else []))
        if own is None:
            raise CheckNotPossible(
                f"the credentials of {self.login.username} were not sent: only the inference configuration names "
                f"{host}. If they are meant for it, give --gateway {host}; else leave them out, and docker login {host}"
            )
        return self.to(host, own)

    def _host(self, image: ImageReference) -> str:
        host = self.gateway.lower() or image.host
        if not host:
            wanted = f"HOST:PORT/{image.repository}"
            raise CheckNotPossible(
                f"{image} names no registry, so docker.io is meant: write {wanted}, or give --gateway"
            )
        if not _HOST.fullmatch(host):
            raise CheckNotPossible(
                f"{host[:255]!r} is no registry: needs HOST or HOST:PORT, without a scheme or a path"
            )
        return host

    def _stored(self, image: ImageReference, host: str) -> Credentials | None:
        return stored_credentials(image.with_host(host), self.environment, self.home)

    def to(self, host: str, login: Credentials | None, *others: Login) -> Connection:
        """The way to a registry with these credentials and, as long as they are refused, the others."""
        flags = {"plain_http": self.plain_http, "timeout": self.timeout, "others": others}
        return Connection.to(host, login, self.ca_file, self.home, **flags)


def _own(configured: RegistryLogin | None, host: str) -> Credentials | None:
    if configured is None or not configured.username or configured.host != host:
        return None
    return Credentials(configured.username, configured.password, "the inference configuration")
