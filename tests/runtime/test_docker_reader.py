"""docker as a reader answers, also after its engine was ended under it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, UnixStreamServer
from threading import Thread

import pytest

from tests.installation import Account
from tests.policy.live import live_gateway
from tests.runtime.court import Court
from tests.runtime.docker_reader import DockerReader
from tests.runtime.images import good, image
from tests.runtime.site import short_folder

pytestmark = [pytest.mark.client("dockerd"), pytest.mark.client("busybox"), pytest.mark.root]


def test_an_engine_that_fell_is_replaced() -> None:
    """The image is then asked about once more, and that answer counts."""
    with short_folder() as home, live_gateway(home / "basegate") as gateway:
        reader = DockerReader(home / "docker")
        try:
            with Court(gateway, [reader]) as court:
                first = court.hear("before", image(good()))
                os.kill(int((home / "docker" / "1" / "docker.pid").read_text()), signal.SIGKILL)
                second = court.hear("after", image(good(), path="/opt/good/bin"))
        finally:
            reader.close()
    assert first.shown["docker"].conda == second.shown["docker"].conda == "4.5.12"
    assert second.disagreements() == []


class _Deaf(BaseRequestHandler):
    """Hangs up on everybody."""


def test_an_engine_that_never_answers_shows_nothing() -> None:
    """What did not start is told as that, and hides no other runtime's word."""

    @contextmanager
    def deaf(folder: Path) -> Iterator[Path]:
        with UnixStreamServer(str(folder / "s"), _Deaf) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()
            yield folder / "s"
            server.shutdown()
            thread.join()

    with short_folder() as home:
        reader = DockerReader(home, deaf)
        answer = reader.ask("localhost:1/x:y", Account("reader", "secret"), "")
        reader.close()
    assert answer.facts is None
    assert "twice" in answer.words
