"""Clause c4: upload sessions that were abandoned time out."""

import time
from pathlib import Path

import pytest

from registry.oci.digest import Digest
from tests.registry.ageing import HOUR, age_file
from tests.repository import Repository, code_of
from tests.servers import open_registry

EXPIRE_SECONDS = 60
PATIENCE_SECONDS = 30


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
def test_abandoned_session(tmp_path: Path, fast: bool) -> None:
    """Without a byte for too long it is 404 BLOB_UPLOAD_UNKNOWN; one that got bytes since goes on, over a restart."""
    settings = {"server": {"fast": fast}, "uploads": {"expire_seconds": EXPIRE_SECONDS}}
    with open_registry(tmp_path, **settings) as live, live.client() as client:
        repository = Repository(client, "abandoned")
        abandoned, lively = repository.open_upload(), repository.open_upload()
        assert [client.patch(where, content=b"some").status_code for where in (abandoned, lively)] == [202, 202]
    age_file(tmp_path / "uploads" / abandoned.rpartition("/")[2] / "data", HOUR)
    with open_registry(tmp_path, **settings) as live, live.client() as client:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := client.get(abandoned)).status_code != 404 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert code_of(answer) == "BLOB_UPLOAD_UNKNOWN"
        query = {"digest": Digest.of(b"something")}
        assert client.put(lively, params=query, content=b"thing").status_code == 201
