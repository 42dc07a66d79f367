"""A database that falls silent: what the gate remembers lets nobody in."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway, live_gateway
from tests.postgres import PostgresServer, postgres_server
from tests.waiting import wait_until


@pytest.fixture
def own() -> Iterator[PostgresServer]:
    """A server of the test's own, to be paused."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def live(own: PostgresServer, tmp_path: Path) -> Iterator[LiveGateway]:
    """A server over it, which has handed out an image."""
    with live_gateway(tmp_path / "data", metadata=own.settings(silence_seconds=1.0)) as live:
        wait_until(lambda: is_pushed(live, tmp_path / "good"))
        wait_until(lambda: pull(live).status_code == 200)
        yield live


def is_pushed(live: LiveGateway, folder: Path) -> bool:
    """Whether an image is taken; a busy machine may be silent for a second, and a client comes again then."""
    try:
        live.push(folder, "team/app:good", cleared_image())
    except httpx.HTTPStatusError as refused:
        assert (refused.response.status_code, refused.response.headers["Retry-After"]) == (503, "1")
        return False
    return True


def pull(live: LiveGateway) -> httpx.Response:
    """As who may only pull."""
    with live.client("reader") as client:
        return client.get("/v2/team/app/manifests/good")


def test_everything_is_refused_until_it_answers_again(own: PostgresServer, live: LiveGateway) -> None:
    """And the server itself goes on: it is alive, and says when to come again."""
    own.signal_all(signal.SIGSTOP)
    try:
        wait_until(lambda: pull(live).status_code == 503)
        assert pull(live).headers["Retry-After"] == "1"
        with live.client("reader") as client:
            assert client.get("/healthz").status_code == 200
    finally:
        own.signal_all(signal.SIGCONT)
    wait_until(lambda: pull(live).status_code == 200)


def test_a_node_that_hears_no_verdicts_is_not_ready(own: PostgresServer, live: LiveGateway) -> None:
    """A balancer is told, whatever else is heard by then."""
    own.signal_all(signal.SIGSTOP)
    try:
        wait_until(lambda: any("verdicts" in each for each in problems(live)))
    finally:
        own.signal_all(signal.SIGCONT)
    wait_until(lambda: problems(live) == [])


def problems(live: LiveGateway) -> list[str]:
    """What `/readyz` names."""
    with live.registry.client() as client:
        return list(client.get("/readyz").json()["problems"])


def test_pages_say_what_is_wrong(own: PostgresServer, live: LiveGateway) -> None:
    """And when to come again, not only that somebody should sign in."""
    own.signal_all(signal.SIGSTOP)
    try:
        wait_until(lambda: pull(live).status_code == 503)
        with live.client("admin") as client:
            page = client.get("/")
    finally:
        own.signal_all(signal.SIGCONT)
    assert (page.status_code, page.headers.get("Retry-After")) == (503, "1")
    assert "has not answered" in page.text


def test_who_signs_in_hears_when_to_come_again(own: PostgresServer, live: LiveGateway) -> None:
    """In the head of the answer; the form says what is wrong."""
    own.signal_all(signal.SIGSTOP)
    try:
        wait_until(lambda: pull(live).status_code == 503)
        with live.registry.client(headers={"Sec-Fetch-Site": "same-origin"}) as client:
            page = client.post("/sign-in", data={"username": "admin", "password": live.secrets["admin"]})
    finally:
        own.signal_all(signal.SIGCONT)
    assert (page.status_code, page.headers.get("Retry-After")) == (503, "1")
    assert "has not answered" in page.text
