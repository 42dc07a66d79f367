"""Generations of the metadata store: what tells callers that rows they remember may have changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from registry.metadata.sqlite_store import SqliteStore
from registry.oci.errors import Unavailable

GENERATIONS = (SqliteStore.generation, SqliteStore.principals_generation, SqliteStore.losses_generation)


@pytest.mark.parametrize("generation", GENERATIONS, ids=lambda each: each.__name__)
def test_a_file_that_cannot_be_read_is_unavailable(tmp_path: Path, generation: Callable[[SqliteStore], int]) -> None:
    """Each time it is asked: a refusal is not taken for a look."""
    path = tmp_path / "registry.db"
    store = SqliteStore(path)
    path.write_bytes(b"no database " * 1000)
    for _ in range(2):
        with pytest.raises(Unavailable, match="damaged"):
            generation(store)
    store.close()
