"""Data folders of earlier revisions open, and what is in them is told as it was."""

import asyncio
from pathlib import Path

import pytest

from registry.database.sqlite import connect
from registry.metadata import attributes
from registry.metadata.attributes import ManifestAttributes
from registry.metadata.locks import OPEN
from registry.metadata.migrations.upgrade import upgrade
from registry.metadata.open_store import FILE_NAME, open_metadata
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

NAME, DIGEST = RepositoryName("team/app"), Digest.of(b"{}")
ROWS = (
    "INSERT INTO repositories VALUES (1, 'team/app', 1.0)",
    f"""INSERT INTO manifests (id, repository_id, digest, media_type, size, artifact_type, config_media_type,
        referrer_type, subject, annotations, pushed, pushed_by, content)
        VALUES (1, 1, '{DIGEST}', 'm', 2, '', 'c', '', NULL, '{{}}', 5.0, '', x'7b7d')""",  # noqa: S608
    f"INSERT INTO manifest_references VALUES (1, 0, 'config', 1, '{DIGEST}', 'c', 7)",  # noqa: S608
    f"INSERT INTO tags VALUES (1, 'v1', '{DIGEST}', 2.0, 3.0)",  # noqa: S608
)


def make(data: Path, revision: str) -> None:
    """A folder as the basegate of that revision has left it."""
    engine = connect(data / FILE_NAME, begin="BEGIN IMMEDIATE")
    with engine.begin() as connection:
        upgrade(connection, revision)
        for row in ROWS:
            connection.exec_driver_sql(row)
    engine.dispose()


@pytest.mark.parametrize("revision", ["0004", "0005", "0006"])
def test_a_manifest_of_before_is_told_of(tmp_path: Path, revision: str) -> None:
    """It came first when it came last, and nothing is locked."""
    make(tmp_path, revision)
    store = open_metadata(tmp_path)
    told = asyncio.run(store.read(attributes.manifest, NAME, DIGEST))
    store.close()
    assert told == ManifestAttributes(DIGEST, "m", 9, 5.0, 5.0, DIGEST, "c", (Tag("v1"),), OPEN)
