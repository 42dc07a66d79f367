"""The plugin of pytest: fixtures `basegate` and `basegate_registry`. Every run loads it: it imports nothing else."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from policy.testing.registry import TemporaryRegistry
    from policy.testing.server import Basegate


@pytest.fixture(scope="session")
def basegate() -> Iterator["Basegate"]:
    """A basegate in a thread of this process, started when it is first asked for; each worker of xdist has its own."""
    from registry.server.quick_imports import quick_imports  # noqa: PLC0415

    with quick_imports():
        from policy.testing.server import server  # noqa: PLC0415 - slow to import

    with server() as running:
        yield running


@pytest.fixture
def basegate_registry(basegate: "Basegate") -> Iterator["TemporaryRegistry"]:
    """A registry that no other test sees: a prefix of repositories, with credentials for it."""
    with basegate.registry() as fresh:
        yield fresh
