"""What every test of faults needs: a C compiler for the library that puts them in, and one laboratory for all."""

from collections.abc import Iterator

import pytest

from tests.conftest import missing
from tests.crash.laboratory import Laboratory
from tests.crash.library import compiler


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """The product as it is."""
    if compiler() is None:
        missing("no C compiler is installed")
    with Laboratory(tmp_path_factory.mktemp("laboratory") / "laboratory") as made:
        yield made
