"""Clients of registries for tests, and what is awaited with them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.registry_client.client import RegistryClient, given, nobody
from registry.registry_client.credentials import Credentials
from registry.registry_client.endpoint import Endpoint, Limits
from registry.registry_client.unfinished_uploads import UnfinishedUploads

T = TypeVar("T")
APP = RepositoryName("team/app")


def with_client(
    host: str,
    work: Callable[[RegistryClient], Awaitable[T]],
    login: tuple[str, str] | None = None,
    *,
    plain_http: bool = False,
    unfinished: UnfinishedUploads | None = None,
    **limits: Any,
) -> T:
    """What `work` gives of a client of the registry."""

    async def run() -> T:
        endpoint = Endpoint.parse(host, plain_http=plain_http, ca_files=(), limits=Limits(**limits))
        who = given(Credentials(*login, "the test")) if login else nobody
        async with RegistryClient(endpoint, who, unfinished) as client:
            return await work(client)

    return asyncio.run(run())


def blob_of(host: str, digest: Digest, size: int, start: int = 0, **limits: Any) -> bytes:
    """The bytes of a blob that a client gets."""

    async def read(client: RegistryClient) -> bytes:
        return b"".join([piece async for piece in client.pull.blob(APP, digest, size, start)])

    return with_client(host, read, **limits)
