"""A store of each kind for the tests of what every store promises."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from registry.oci.digest import Digest
from registry.storage.blob_store import BlobStore
from tests.registry.storage.stores import KINDS, Kind


@pytest.fixture(scope="session", params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind in turn."""
    chosen: Kind = request.param
    return chosen


@pytest.fixture
def store(kind: Kind, tmp_path: Path) -> Iterator[BlobStore]:
    """An empty store."""
    with ThreadPoolExecutor(4) as pool:
        yield kind.make(tmp_path / "data", pool)


@pytest.fixture
def spoil(kind: Kind, store: BlobStore, tmp_path: Path) -> Callable[[Digest, bytes], object]:
    """Puts other bytes under a digest of the store."""
    return partial(kind.spoil, store, tmp_path / "data")
