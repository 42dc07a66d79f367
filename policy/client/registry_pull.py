"""Tries a user name and a password at any registry, as a service would use them: with a pull."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from policy.client.api import Connection
from registry.oci.image_reference import ImageReference
from registry.registry_client.client import RegistryClient, given
from registry.registry_client.credentials import Credentials
from registry.registry_client.endpoint import Endpoint, Limits
from registry.registry_client.errors import SignInRefused

T = TypeVar("T")


def sign_in(connection: Connection, login: Credentials) -> None:
    """Sign in at `/v2/`.

    Raises:
        SignInRefused: the registry refuses the user name and password; the message has no secret.
        RemoteError: it gives no answer that counts.
        EndpointUnusable, TrustUnusable: it cannot be asked.
    """
    _with(connection, login, lambda client: client.pull.check())


def pull_digest(connection: Connection, login: Credentials, image: ImageReference) -> str:
    """The digest of an image, looked up with this login. Raises as `sign_in` does, and Absent."""
    return _with(connection, login, lambda client: client.pull.resolve(image.repository, image.reference))


def _with(connection: Connection, login: Credentials, work: Callable[[RegistryClient], Awaitable[T]]) -> T:
    seconds = connection.timeout
    endpoint = Endpoint.parse(
        connection.host,
        plain_http=connection.plain_http,
        ca_files=connection.ca_files,
        limits=Limits(connect_seconds=seconds, silence_seconds=seconds, answer_seconds=seconds),
    )

    async def run() -> T:
        async with RegistryClient(endpoint, given(login)) as client:
            return await work(client)

    try:
        return asyncio.run(run())
    except SignInRefused as error:
        who = f"the user name {login.username} and the password of {login.source}"
        raise SignInRefused(f"{connection.host} refuses {who}: {error}") from None
