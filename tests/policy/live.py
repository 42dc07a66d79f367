"""A live basegate with its gate, and images made in code to push to it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from policy.app import build
from policy.enforcement.gate import PolicyGate
from policy.settings import Settings
from policy.testing.credentials import enrolment
from registry.auth.actions import Role
from registry.storage.blob_store import BlobStore
from tests.clients.layouts import Image, Layout
from tests.registry.auth.people import enrol
from tests.servers import LiveRegistry, quiet, running


@dataclass(frozen=True, slots=True)
class LiveGateway:
    """A server, and how its principals sign in: `admin` (Owner), `reader` (AcrPull), `outsider` (AcrPull elsewhere)."""

    registry: LiveRegistry
    secrets: dict[str, str]
    ca: Path | None = None

    @property
    def host(self) -> str:
        """HOST:PORT, as image references have it."""
        return self.registry.host

    def client(self, name: str) -> httpx.Client:
        """An HTTP client that signs in with Basic; the caller closes it."""
        verify = True if self.ca is None else ssl.create_default_context(cafile=self.ca)
        return self.registry.client(auth=(name, self.secrets[name]), verify=verify)

    def check(self, name: str, **body: Any) -> httpx.Response:
        """POST a check as a principal."""
        with self.client(name) as client:
            return client.post("/policy/v1/references:check", json=body)

    def settle(self) -> None:
        """Have what was pushed a moment ago in policy.db."""
        gate = self.registry.app.services.gate
        assert isinstance(gate, PolicyGate)
        gate.results.settle()

    def push(self, folder: Path, reference: str, *images: Image) -> str:
        """Push an image, or an index of several, as admin; its digest."""
        layout = Layout(folder)
        repository, _, tag = reference.partition(":")
        digest = layout.add(tag, images[0]) if len(images) == 1 else layout.add_index(tag, images)
        with self.client("admin") as client:
            _push(client, layout, repository, tag, digest)
        return digest


@contextmanager
def live_gateway(
    data: Path, ca: Path | None = None, blobs: BlobStore | None = None, **groups: Any
) -> Iterator[LiveGateway]:
    """Serve over a new data folder; groups are settings, `ca` signed the certificate that they name.

    `blobs`: where they are kept instead.
    """
    settings = Settings.model_validate(quiet(data, **groups))
    made = [
        enrolment("admin", Role.OWNER),
        enrolment("reader", Role.ACR_PULL),
        enrolment("outsider", Role.ACR_PULL, "elsewhere/*"),
    ]
    enrol(data, *(each for each, _ in made), settings=settings)
    with running(build(settings, blobs=blobs)) as live:
        yield LiveGateway(live, {credentials.username: credentials.password for _, credentials in made}, ca)


def _push(client: httpx.Client, layout: Layout, repository: str, tag: str, digest: str) -> None:
    blobs = {f"sha256:{file.name}": file.read_bytes() for file in layout.blobs.iterdir()}
    manifests = [name for name, content in blobs.items() if b'"schemaVersion"' in content[:200] and name != digest]
    for name in blobs.keys() - {*manifests, digest}:
        opened = client.post(f"/v2/{repository}/blobs/uploads/").raise_for_status()
        client.put(opened.headers["location"], params={"digest": name}, content=blobs[name]).raise_for_status()
    for name in (*manifests, digest):
        _put(client, f"/v2/{repository}/manifests/{tag if name == digest else name}", blobs[name])


def _put(client: httpx.Client, path: str, raw: bytes) -> None:
    media_type = "index" if b'"manifests"' in raw else "manifest"
    headers = {"Content-Type": f"application/vnd.oci.image.{media_type}.v1+json"}
    client.put(path, content=raw, headers=headers).raise_for_status()
