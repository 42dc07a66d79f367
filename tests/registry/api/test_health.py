"""`/healthz`, `/readyz`, `/metrics`: open to everybody, also where callers must sign in."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from registry.metadata.open_store import FILE_NAME
from tests.registry.api.guarded import guarded_registry
from tests.repository import code_of
from tests.servers import LiveRegistry, open_registry


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveRegistry]:
    """A registry where everybody signs in."""
    with guarded_registry(tmp_path / "data") as live:
        yield live


@pytest.fixture
def client(live: LiveRegistry) -> Iterator[httpx.Client]:
    """Somebody who has not."""
    with live.client() as client:
        yield client


@pytest.mark.parametrize(("path", "status"), [("/healthz", "alive"), ("/readyz", "ready")])
def test_all_is_well(client: httpx.Client, path: str, status: str) -> None:
    """200, and a word for it."""
    answer = client.get(path)
    assert (answer.status_code, answer.json()["status"]) == (200, status)


def test_data_folder_that_cannot_be_written(client: httpx.Client, live: LiveRegistry) -> None:
    """503 with the reason; the process itself is alive."""
    aside = live.data.rename(live.data.with_name("aside"))
    answer = client.get("/readyz")
    aside.rename(live.data)
    assert answer.status_code == 503
    assert "the data folder cannot be written" in answer.json()["problems"]
    assert client.get("/healthz").status_code == 200


def test_metadata_that_cannot_be_read(client: httpx.Client, live: LiveRegistry) -> None:
    """503 when the database is not what it was."""
    with closing(sqlite3.connect(live.data / FILE_NAME)) as database:
        database.execute("ALTER TABLE repositories RENAME TO lost")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"][0].startswith("the metadata cannot be read")


def test_requests_are_counted(client: httpx.Client) -> None:
    """By method, operation and status, in Prometheus' text form; refusals by code."""
    client.get("/v2/")
    client.get("/nowhere")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'basegate_requests_total{method="GET",operation="root.check",status="401"} 1.0' in answer.text
    assert 'basegate_requests_total{method="other",operation="none",status="404"} 1.0' in answer.text
    assert 'basegate_errors_total{code="UNAUTHORIZED"} 1.0' in answer.text


def test_bytes_are_counted(tmp_path: Path) -> None:
    """What came in and what went out."""
    with open_registry(tmp_path / "data") as live, live.client() as client:
        answer = client.post("/v2/a/blobs/uploads/")
        client.patch(answer.headers["location"], content=b"x" * 1000)
        assert "basegate_received_bytes_total 1000.0" in client.get("/metrics").text


def test_metrics_switched_off(tmp_path: Path) -> None:
    """404."""
    with open_registry(tmp_path / "data", operations={"metrics": False}) as live, live.client() as client:
        answer = client.get("/metrics")
    assert (answer.status_code, code_of(answer)) == (404, "UNSUPPORTED")


def test_two_servers_in_one_process_do_not_mix(client: httpx.Client, tmp_path: Path) -> None:
    """Each has counters of its own."""
    with open_registry(tmp_path / "other") as other, other.client() as second:
        client.get("/nowhere")
        assert 'operation="none"' not in second.get("/metrics").text
