"""Every question a request asks is answered from an index: none walks a table."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from registry.metadata import (
    attestations,
    attributes,
    blobs,
    locks,
    manifests,
    push_lookup,
    reachability,
    referrers,
    repositories,
    tags,
)
from registry.metadata.open_store import open_metadata
from registry.metadata.sqlite_store import SqliteStore
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from registry.telemetry import store_metrics

NAME, TAG, DIGEST = RepositoryName("team/app"), Tag("v1"), Digest.of(b"x")
MANY = [Digest.of(str(number).encode()) for number in range(1_200)]

QUESTIONS: dict[str, Any] = {
    "attestations of a manifest": lambda c: attestations.newest(c, NAME, DIGEST, 10),
    "attestation of a row": lambda c: attestations.newest_of(c, 1),
    "attestation that is published": lambda c: attestations.published(c, NAME, DIGEST),
    "attestations that are kept": lambda c: attestations.trim(c, 1, 10),
    "attestations of a repository": lambda c: attestations.any_in(c, NAME),
    "repository": lambda c: repositories.find(c, NAME),
    "catalog": lambda c: repositories.page(c, "a", 100),
    "bytes held": lambda c: repositories.bytes_held(c, 1),
    "catalog that is shown": lambda c: repositories.listed(c, "a", 100),
    "tags that are shown": lambda c: tags.listed(c, 1, "a", 100),
    "locks": lambda c: locks.find(c, 1, TAG),
    "locks of a repository": lambda c: locks.bearers(c, 1),
    "locked against reads": lambda c: locks.require_readable(c, NAME, DIGEST, TAG),
    "locked against writes": lambda c: locks.require_writable(c, NAME),
    "unlock": lambda c: locks.forget(c, 1, [TAG]),
    "attributes of a tag": lambda c: attributes.tag_page(c, NAME, attributes.PageStart(), 10),
    "attributes of tags of a manifest": lambda c: attributes.tag_page(
        c, NAME, attributes.PageStart(last="a"), 10, DIGEST
    ),
    "attributes of manifests": lambda c: attributes.manifest_page(c, NAME, attributes.PageStart(), 10),
    "tag": lambda c: tags.find(c, NAME, TAG),
    "tags": lambda c: tags.page(c, 1, "a", 100),
    "tags of a manifest": lambda c: tags.pointing_at(c, 1, DIGEST),
    "move a tag": lambda c: tags.point(c, 1, TAG, DIGEST, 1.0, is_new=False),
    "tag of a repository": lambda c: tags.current(c, 1, TAG),
    "ground of a push": lambda c: push_lookup.find(c, NAME, DIGEST, TAG, [DIGEST]),
    "remove a tag": lambda c: tags.remove(c, 1, TAG),
    "manifest": lambda c: manifests.find(c, NAME, DIGEST),
    "manifest of a tag": lambda c: manifests.find_tagged(c, NAME, TAG),
    "manifests present": lambda c: manifests.present(c, 1, [DIGEST]),
    "many manifests present": lambda c: manifests.present(c, 1, MANY),
    "remove a manifest": lambda c: manifests.remove(c, 1, DIGEST),
    "blob": lambda c: blobs.size_of(c, NAME, DIGEST),
    "blobs present": lambda c: blobs.present(c, 1, [DIGEST]),
    "many blobs present": lambda c: blobs.present(c, 1, MANY),
    "sizes of blobs": lambda c: blobs.sizes_of(c, NAME, [DIGEST]),
    "sizes of many blobs": lambda c: blobs.sizes_of(c, NAME, MANY),
    "manifests in files": lambda c: manifests.filed(c, NAME, [DIGEST]),
    "unlink a blob": lambda c: blobs.unlink(c, 1, DIGEST),
    "holders of a blob": lambda c: blobs.holders(c, DIGEST, 10),
    "referrers": lambda c: referrers.page(c, NAME, DIGEST, "", after="a", count=10),
    "referrers of a type": lambda c: referrers.page(c, NAME, DIGEST, "type", after="a", count=10),
    "subjects": lambda c: referrers.subjects_of(c, NAME, [DIGEST]),
    "referrers with layers of a type": lambda c: referrers.without_layers_of(c, NAME, [DIGEST], "application/x"),
    "newest attestations": lambda c: attestations.newest_among(c, [1, 2]),
    "parts of a manifest": lambda c: reachability.parts_of(c, NAME, DIGEST),
    "manifests naming": lambda c: reachability.manifests_naming(c, 1, DIGEST, 1),
    "manifests reaching": lambda c: reachability.manifests_reaching(c, NAME, DIGEST),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    """A database with one repository."""
    opened = open_metadata(tmp_path_factory.mktemp("plans"))
    asyncio.run(opened.write(repositories.ensure, NAME, 1.0))
    yield opened
    opened.close()


def plans(connection: Connection, question: Any) -> list[str]:
    """What SQLite means to do for each statement that a question executes."""
    asked: list[str] = []
    driver: Any = connection.connection.driver_connection
    driver.set_trace_callback(asked.append)
    try:
        question(connection)
    finally:
        driver.set_trace_callback(None)
    asked = [text for text in asked if text.startswith(("SELECT", "UPDATE", "DELETE", "WITH"))]
    return [row[3] for text in asked for row in driver.execute(f"EXPLAIN QUERY PLAN {text}")]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_does_not_walk_a_table(store: SqliteStore, name: str) -> None:
    """Its plan searches; it scans nothing but its own recursion, and sorts nothing."""
    found = asyncio.run(store.write(plans, QUESTIONS[name]))
    assert found
    assert [step for step in found if step.startswith("SCAN") and "reaching" not in step] == []
    assert [step for step in found if "TEMP B-TREE FOR ORDER BY" in step] == []


def test_figures_keep_nothing_of_a_table_in_memory(store: SqliteStore) -> None:
    """They are counted once a minute, in the order of indexes: what is distinct is not gathered first."""
    found = asyncio.run(store.write(plans, store_metrics.count))
    assert len(found) > 5
    assert [step for step in found if "TEMP B-TREE" in step] == []
