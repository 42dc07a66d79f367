"""What administrators are shown of repositories, tags and manifests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from registry.gate import OpenGate
from registry.metadata import listings
from registry.oci.names import Tag
from tests.registry.open_services import REPOSITORY, OpenServices


@pytest.fixture(name="services")
def _services(tmp_path: Path) -> Iterator[OpenServices]:
    """Three images, each with a tag."""
    opened = OpenServices(tmp_path, lambda _storage, _metadata: OpenGate())
    for number in range(3):
        opened.run(opened.push_image(Tag(f"v{number}"), [b"layer %d" % number]))
    yield opened
    opened.close()


def statements(services: OpenServices, question: Callable[[Connection], Any]) -> list[str]:
    """What is asked of the database."""
    asked: list[str] = []

    def watched(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(asked.append)
        try:
            question(connection)
        finally:
            driver.set_trace_callback(None)

    services.run(services.metadata.read_apart(watched))
    return asked


@pytest.mark.parametrize("kind", [listings.tags_of, listings.manifests_of])
def test_a_longer_page_asks_no_more(services: OpenServices, kind: Callable[..., Any]) -> None:
    """Each kind of thing is read once for all of a page."""

    def asked(count: int) -> int:
        return len(statements(services, lambda connection: kind(connection, REPOSITORY, "", count)))

    assert asked(3) == asked(1)


@pytest.mark.parametrize("unseen", ["manifest_references", "content"])
def test_a_list_of_manifests_reads_what_it_shows(services: OpenServices, unseen: str) -> None:
    """Neither what they refer to nor their bytes."""
    asked = statements(services, lambda c: listings.manifests_of(c, REPOSITORY, "", 3))
    assert not [each for each in asked if unseen in each]


def test_a_list_of_manifests_has_their_tags(services: OpenServices) -> None:
    """Of each its own."""
    found = services.run(services.metadata.read_apart(listings.manifests_of, REPOSITORY, "", 3))
    assert sorted(found_tag for each in found for found_tag in each.tags) == ["v0", "v1", "v2"]
    assert [len(each.tags) for each in found] == [1, 1, 1]
