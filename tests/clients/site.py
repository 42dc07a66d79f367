"""The registry that the clients talk to, with its accounts and the images they push."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from tests.clients.client import Endpoint
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image, refused_image
from tests.clients.tunnel import ELSEWHERE
from tests.installation import Account, Installation


@dataclass(frozen=True)
class Site:
    """A live basegate.

    Attributes:
        transport: `HTTP` or `TLS`.
        endpoint: where it is reached and what to trust.
        owner: may do everything.
        reader: may only pull.
        data: the data folder that it serves.
        layout: images to push: `cleared`, `refused`, `platforms` (an index of two cleared ones), `large` (8 MiB).
    """

    transport: str
    endpoint: Endpoint
    owner: Account
    reader: Account
    layout: Layout
    data: Path

    def name(self, repository: str, tag: str) -> str:
        """The reference of a tag, with the registry's host."""
        return f"{self.endpoint.host}/{repository}:{tag}"

    def http(self) -> httpx.Client:
        """A plain HTTP client that is signed in as the owner."""
        ca = self.endpoint.ca
        scheme = "http" if ca is None else "https"
        verify = False if ca is None else ssl.create_default_context(cafile=ca)
        account = (self.owner.username, self.owner.password)
        return httpx.Client(base_url=f"{scheme}://{self.endpoint.host}", auth=account, verify=verify, trust_env=False)

    @classmethod
    @contextmanager
    def started(cls, installation: Installation, transport: str) -> Iterator[Self]:
        """Serve an installation until the block ends."""
        owner = installation.create_principal("tester", "Owner")
        reader = installation.create_principal("ci-reader", "AcrPull")
        layout = _layout(installation.data.parent / "layout")
        flags, ca = _tls(installation) if transport == "TLS" else ((), None)
        with installation.serve(*flags) as host:
            yield cls(transport, Endpoint(host, ca), owner, reader, layout, installation.data)


def _layout(folder: Path) -> Layout:
    layout = Layout(folder)
    layout.add("cleared", cleared_image())
    layout.add("refused", refused_image())
    layout.add_index("platforms", [cleared_image("a"), cleared_image("b", "arm64")])
    layout.add("large", cleared_image(large=True))
    return layout


def _tls(installation: Installation) -> tuple[tuple[str, ...], Path]:
    done = installation.run("tls", "init", "--host", ELSEWHERE, "--data", str(installation.data))
    assert done.returncode == 0, done.stderr
    folder = installation.data / "tls"
    # podman and its kin take every key in a certificate folder for a client's own: the CA gets a folder to itself.
    trusted = installation.data.parent / "trusted" / "ca.crt"
    trusted.parent.mkdir()
    trusted.write_bytes((folder / "ca.crt").read_bytes())
    return ("--tls-cert", str(folder / "server.crt"), "--tls-key", str(folder / "server.key")), trusted
