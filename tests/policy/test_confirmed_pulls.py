"""A pull by tag waits for the database: what changes meanwhile counts."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from registry.database.postgres import Database
from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway, live_gateway
from tests.postgres import PostgresServer
from tests.waiting import wait_until

ASKING = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%unnest%WITH ORDINALITY%' AND pid <> pg_backend_pid()"


@contextmanager
def unanswered(live: LiveGateway) -> Iterator[None]:
    """The process of the database that is asked for tags does not answer; all others do."""
    with Database(live.registry.app.settings.current.metadata.url).connect(autocommit=True) as connection:
        process = int(connection.execute(ASKING).fetchall()[0][0])
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def pull(client: httpx.Client) -> int:
    """The status of one."""
    return client.get("/v2/team/app/manifests/v1").status_code


def test_who_is_shut_out_meanwhile_gets_nothing(postgres: PostgresServer, tmp_path: Path) -> None:
    """Although the answer is remembered, and the tag stands for the same."""
    with (
        live_gateway(tmp_path / "data", metadata=postgres.settings()) as live,
        live.client("admin") as owner,
        live.client("reader") as reader,
        ThreadPoolExecutor(1) as threads,
    ):
        live.push(tmp_path / "image", "team/app:v1", cleared_image())
        wait_until(lambda: [pull(reader) for _ in range(3)] == [200] * 3)
        with unanswered(live):
            pulling = threads.submit(pull, reader)
            wait_until(lambda: "basegate_requests_running 2.0" in owner.get("/metrics").text)
            owner.patch("/admin/v1/principals/reader", json={"enabled": False}).raise_for_status()
        assert pulling.result() == 401
