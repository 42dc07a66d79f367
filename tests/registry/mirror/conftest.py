"""An upstream that runs for all tests of a module, and a registry in front of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.other_registries import OtherRegistry, distribution, zot
from tests.registry.mirror.site import Site, mirrored, site

UPSTREAMS = {"distribution": distribution, **({"zot": zot} if os.environ.get("MIRROR_ZOT") else {})}


@pytest.fixture(scope="module", params=UPSTREAMS)
def upstream(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherRegistry]:
    """A registry of others, which nobody stops; zot takes minutes to build: `make test-mirror` has it."""
    with UPSTREAMS[str(request.param)](tmp_path_factory.mktemp("upstream")) as started:
        yield started


@pytest.fixture
def shared(tmp_path: Path, upstream: OtherRegistry) -> Iterator[Site]:
    """A registry in front of it, with the default settings."""
    with mirrored(tmp_path, upstream) as made:
        yield made


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Site]:
    """A registry, and an upstream of its own that a test may stop; tags are old at once."""
    with site(tmp_path, ttl_seconds=0) as made:
        yield made
