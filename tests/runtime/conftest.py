"""The runtimes of this test process and the basegate that they read from: started once, when first asked for."""

from collections.abc import Iterator

import pytest

from tests.runtime.court import Court
from tests.runtime.site import court as opened

PROGRAMS = ("dockerd", "docker", "containerd", "ctr", "podman", "runc", "busybox")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here drives all runtimes, as root."""
    for item in items:
        if "/runtime/" in str(item.path) and "court" in getattr(item, "fixturenames", ()):
            for name in PROGRAMS:
                item.add_marker(pytest.mark.client(name))
            item.add_marker(pytest.mark.root)


@pytest.fixture(scope="session")
def court() -> Iterator[Court]:
    """A court with docker, containerd and podman."""
    with opened() as made:
        yield made
