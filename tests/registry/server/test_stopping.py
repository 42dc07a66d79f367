"""Stopping: what a server says at the first signal, and its end at the second."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.server.stopping import words, words_of_the_end
from tests.halfway import HalfwayUpload
from tests.registry.server.alone import Alone, alone
from tests.repository import Repository


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Alone]:
    """A server that would wait for ten minutes."""
    with alone(tmp_path, settings="server: {shutdown_seconds: 600}") as running:
        yield running


def upload_to(server: Alone) -> HalfwayUpload:
    """An upload of which the server has a part, and waits for the rest."""
    with server.client() as client:
        upload = HalfwayUpload(server.url + Repository(client, "a").open_upload())
        while "basegate_requests_running 2" not in client.get("/metrics").text:
            pass
    return upload


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once(server: Alone, number: signal.Signals) -> None:
    """The first says that an upload is running; the second cuts it off and says so. The exit code stays 0."""
    upload = upload_to(server)
    server.process.send_signal(number)
    server.serving.wait_for(re.compile("^stopping, one upload is running, again to stop now$", re.MULTILINE))
    server.process.send_signal(number)
    assert server.process.wait(60) == 0
    server.serving.wait_for(re.compile("^stopping now, one upload is cut off$", re.MULTILINE))
    assert upload.go_on() == 0


def test_an_idle_server_says_that_it_stops(server: Alone) -> None:
    """Nothing is waited for, and nothing is said of it."""
    server.process.terminate()
    server.serving.wait_for(re.compile("^stopping$", re.MULTILINE))
    assert server.process.wait(60) == 0


@pytest.mark.parametrize(
    ("uploads", "others", "said"),
    [
        (0, 0, "stopping"),
        (1, 0, "stopping, one upload is running, again to stop now"),
        (3, 0, "stopping, 3 uploads are running, again to stop now"),
        (0, 1, "stopping, one request is running, again to stop now"),
        (0, 2, "stopping, 2 requests are running, again to stop now"),
        (1, 1, "stopping, one upload and one other request are running, again to stop now"),
        (2, 5, "stopping, 2 uploads and 5 other requests are running, again to stop now"),
    ],
)
def test_what_is_waited_for_is_counted(uploads: int, others: int, said: str) -> None:
    """In English: one of a kind has a verb of its own."""
    assert words(uploads, others) == said


def test_what_is_cut_off_is_counted() -> None:
    """In the words of the second signal."""
    assert words_of_the_end(0, 0) == "stopping now"
    assert words_of_the_end(2, 0) == "stopping now, 2 uploads are cut off"
