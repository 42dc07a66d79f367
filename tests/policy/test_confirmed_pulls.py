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
        processes = [int(process) for (process,) in connection.execute(ASKING).fetchall()]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def pull(client: httpx.Client) -> int:
    """The status of one."""
    return client.get("/v2/team/app/manifests/v1").status_code


def generations(live: LiveGateway) -> tuple[int, int]:
    """While they are the same, answers are remembered."""
    services = live.registry.app.services
    return services.stores.metadata.generation(), services.gate.generation()


def shut_out_meanwhile(live: LiveGateway, reader: httpx.Client) -> int:
    """The status of a remembered pull whose caller is shut out before it is confirmed; 0 if it was not remembered."""
    with live.client("admin") as owner, ThreadPoolExecutor(1) as threads:
        before = generations(live)
        wait_until(lambda: [pull(reader) for _ in range(3)] == [200] * 3)
        with unanswered(live):
            pulling = threads.submit(pull, reader)
            wait_until(lambda: "basegate_requests_running 2.0" in owner.get("/metrics").text)
            is_remembered = generations(live) == before
            if is_remembered:
                owner.patch("/admin/v1/principals/reader", json={"enabled": False}).raise_for_status()
        return pulling.result() if is_remembered else 0


def test_who_is_shut_out_meanwhile_gets_nothing(postgres: PostgresServer, tmp_path: Path) -> None:
    """Although the answer is remembered, and the tag stands for the same."""
    with live_gateway(tmp_path / "data", metadata=postgres.settings()) as live, live.client("reader") as reader:
        live.push(tmp_path / "image", "team/app:v1", cleared_image())
        assert next(filter(None, (shut_out_meanwhile(live, reader) for _ in range(20)))) == 401
