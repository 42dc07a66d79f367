"""`basegate export` as a column of the door matrix."""

import asyncio
import base64
import sys
import tempfile
from pathlib import Path

import httpx

from registry.config.transfer import TransferSettings
from registry.oci.digest import Digest
from registry.oci.names import Tag
from registry.registry_client.client import RegistryClient
from registry.registry_client.credentials import Credentials
from registry.registry_client.endpoint import Endpoint
from registry.registry_client.errors import RemoteError
from registry.transfer.exporting import Exporting
from registry.transfer.layout_files import layout_files
from registry.transfer.remote import RemoteRepository
from tests.policy.door_cases import Case
from tests.policy.lab import TEAM


def export(client: httpx.Client, case: Case) -> bool:
    """Whether it is written whole, with what refers to it; else nothing is written."""

    async def work(out: Path) -> bool:
        endpoint = Endpoint.parse(client.base_url.netloc.decode())
        async with RegistryClient(endpoint, lambda: _credentials(client)) as remote:
            files = await asyncio.to_thread(layout_files, str(out), sys.stdout.buffer)
            try:
                await Exporting(RemoteRepository(remote, TEAM, Tag(case.name)), TransferSettings()).write(files)
            except RemoteError:
                return False
        return (out / "blobs/sha256" / Digest.of(case.blob).encoded).exists()

    with tempfile.TemporaryDirectory() as folder:
        done = asyncio.run(work(Path(folder) / "out"))
        assert done or not list(Path(folder).iterdir())
        return done


def _credentials(client: httpx.Client) -> Credentials | None:
    """What an HTTP client signs in with."""
    if client.auth is None:
        return None
    request = next(client.auth.auth_flow(client.build_request("GET", "/v2/")))
    name, _, secret = base64.b64decode(request.headers["authorization"].partition(" ")[2]).decode().partition(":")
    return Credentials(name, secret, "the matrix")
