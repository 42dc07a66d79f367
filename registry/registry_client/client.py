"""The client of one registry: an endpoint, who calls, and what can be read and written there."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName
from registry.registry_client.connection import Connection
from registry.registry_client.credentials import Credentials, credentials_of_file, stored_credentials
from registry.registry_client.endpoint import Endpoint
from registry.registry_client.pull import Pulls
from registry.registry_client.push import Pushes
from registry.registry_client.sign_in import Login
from registry.registry_client.unfinished_uploads import UnfinishedUploads

# Stored credentials are chosen by the longest path in common with the image; this name has none in common.
_NOBODYS = RepositoryName("-")


class RegistryClient:
    """An asynchronous context manager; its connections are closed at the end. For one event loop.

    Attributes:
        endpoint: where the registry is.
        pull: reads from it.
        push: writes to it.
    """

    def __init__(self, endpoint: Endpoint, login: Login, unfinished: UnfinishedUploads | None = None) -> None:
        """Nothing is connected yet; raises TrustUnusable when a CA file cannot be used.

        Args:
            endpoint: of the registry.
            login: who calls.
            unfinished: where uploads are noted that a later process may go on with; `None`: they are not.
        """
        self.endpoint = endpoint
        self._connection = Connection(endpoint, login)
        self.pull = Pulls(self._connection)
        self.push = Pushes(self._connection, unfinished)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._connection.close()


def nobody() -> Credentials | None:
    """Call anonymously."""
    return None


def given(login: Credentials) -> Login:
    """Call with these credentials."""
    return lambda: login


def stored(
    endpoint: Endpoint,
    repository: RepositoryName = _NOBODYS,
    environment: Mapping[str, str] = os.environ,
    home: Callable[[], Path] = Path.home,
) -> Login:
    """Call with what docker or podman has stored for the registry, or anonymously where they have nothing.

    Args:
        endpoint: whose credentials.
        repository: they may be stored for it alone.
        environment: variables that name files, and PATH for helpers.
        home: the person's home folder.
    """
    image = ImageReference(endpoint.name, repository)
    return lambda: stored_credentials(image, environment, home())


def from_file(file: Path, endpoint: Endpoint, environment: Mapping[str, str] = os.environ) -> Login:
    """Call with what one file of docker's or podman's form has for the registry; it is read at each sign-in."""
    image = ImageReference(endpoint.name, _NOBODYS)
    return lambda: credentials_of_file(file, image, environment)
