"""An upstream with content, and a registry in front of it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from registry.oci.digest import Digest
from tests.other_registries import OtherRegistry, distribution
from tests.registry.mirror.line import Line, line_to
from tests.repository import Pushed, Repository
from tests.servers import LiveRegistry, open_registry

NAME = "up/team/app"
"""What the upstream's team/app is called here."""


@dataclass(frozen=True, slots=True)
class Site:
    """A registry with one upstream.

    Attributes:
        upstream: the other registry.
        there: its repository team/app.
        line: between the two.
        live: the registry that is filled.
        here: its repository up/team/app.
    """

    upstream: OtherRegistry
    there: Repository
    line: Line
    live: LiveRegistry
    here: Repository

    def push(self, tag: str = "v1", size: int = 100_000) -> tuple[Pushed, Pushed]:
        """An image of one layer in the upstream, and its layer."""
        layer = self.there.blob(os.urandom(size))
        return self.there.image(tag, layer), layer

    def fetched(self, digest: Digest) -> int:
        """How often the upstream was asked for a blob."""
        return self.upstream.asked("GET", f"/blobs/{digest}")


def upstream_settings(host: str, **settings: Any) -> dict[str, Any]:
    """An entry of `upstreams`."""
    return {"prefix": "up", "url": f"http://{host}", "namespace": "docker.io", "retry_seconds": 0, **settings}


@contextmanager
def mirrored(
    folder: Path, upstream: OtherRegistry, *, shared: Mapping[str, Any] | None = None, **settings: Any
) -> Iterator[Site]:
    """A registry in front of an upstream that runs; `shared`: groups of settings of several nodes."""
    with ExitStack() as opened:
        line = opened.enter_context(line_to(upstream.host))
        entry = upstream_settings(line.host, **settings)
        live = opened.enter_context(open_registry(folder, upstreams=[entry], **(shared or {})))
        there = opened.enter_context(upstream.client())
        here = opened.enter_context(live.client())
        yield Site(upstream, Repository(there, "team/app"), line, live, Repository(here, NAME))


@contextmanager
def site(folder: Path, **settings: Any) -> Iterator[Site]:
    """Both, with an upstream of its own."""
    with distribution(folder / "upstream") as upstream, mirrored(folder / "data", upstream, **settings) as made:
        yield made


def code(answer: httpx.Response) -> str:
    """The error code of a refusal."""
    return str(answer.json()["errors"][0]["code"])


def message(answer: httpx.Response) -> str:
    """What a person is told."""
    return str(answer.json()["errors"][0]["message"])
