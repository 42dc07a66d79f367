"""Events as a stream: what comes, going on after a break, limits, and the end."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from registry.auth import enrolment
from registry.auth.enrolment import make_secrets
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway

PATH = "/policy/v1/events"
ACCEPT = {"Accept": "text/event-stream"}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server with one image, whose streams are few and get comments soon."""
    events = {"streams": 1, "keep_alive_seconds": 0.05, "poll_seconds": 0.01}
    with live_gateway(tmp_path / "data", events=events, policy={"events": False}) as gateway:
        gateway.push(tmp_path / "one", "team/app:v1", cleared_image())
        yield gateway


def frames(response: httpx.Response) -> Iterator[dict[str, str]]:
    """Each block of a stream as its fields; a comment has the name ""."""
    block: dict[str, str] = {}
    for line in response.iter_lines():
        if not line:
            yield block
            block = {}
        else:
            name, _, value = line.partition(": ")
            block[name.rstrip(":") if name != ":" else ""] = value


def events_of(blocks: Iterator[dict[str, str]], last: str) -> list[dict[str, Any]]:
    """The events of a stream, up to the first of a kind."""
    found = []
    for block in blocks:
        if "data" in block:
            found.append(json.loads(block["data"]))
            assert (block["id"], block["event"]) == (str(found[-1]["id"]), found[-1]["kind"])
            if block["event"] == last:
                return found
    raise AssertionError("the stream has ended before")


def test_a_stream_begins_at_its_cursor_and_goes_on(live: LiveGateway, tmp_path: Path) -> None:
    """With what was there, then with what comes."""
    with live.client("reader") as client, client.stream("GET", PATH, params={"after": 0}, headers=ACCEPT) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        first = events_of(frames(stream), "tag.set")
    live.push(tmp_path / "two", "team/app:v2", refused_image())
    last = {"Last-Event-ID": str(first[-1]["id"])}
    with live.client("reader") as client, client.stream("GET", PATH, headers={**ACCEPT, **last}) as stream:
        second = events_of(frames(stream), "tag.set")
    assert [each["tag"] for each in (*first, *second) if each["kind"] == "tag.set"] == ["v1", "v2"]


def test_a_stream_without_a_cursor_begins_now(live: LiveGateway, tmp_path: Path) -> None:
    """What was before is not told."""
    with live.client("reader") as client, client.stream("GET", PATH, headers=ACCEPT) as stream:
        blocks = frames(stream)
        assert "retry" in next(blocks)
        live.push(tmp_path / "two", "team/app:v2", cleared_image())
        assert {each["tag"] for each in events_of(blocks, "tag.set") if each["kind"] == "tag.set"} == {"v2"}


def test_a_stream_without_news_gets_comments(live: LiveGateway) -> None:
    """With the cursor, so that a client that comes again does not look at everything again."""
    with live.client("reader") as client, client.stream("GET", PATH, headers=ACCEPT) as stream:
        comment = next(block for block in frames(stream) if "" in block)
    assert int(comment["id"]) > 0


def test_one_stream_too_many_is_refused(live: LiveGateway) -> None:
    """503, until another has ended."""
    with live.client("reader") as client, client.stream("GET", PATH, headers=ACCEPT) as stream:
        blocks = frames(stream)
        next(blocks)
        refused = httpx.get(
            live.registry.url + PATH, headers=ACCEPT, auth=("reader", live.secrets["reader"]), timeout=5
        )
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        next(blocks)


def test_a_principal_has_a_share_of_the_streams(tmp_path: Path) -> None:
    """Whoever opens all that it may leaves some for others; one that ends makes room for the next."""
    with live_gateway(tmp_path / "data", events={"streams_each": 2, "poll_seconds": 0.01}) as live, ExitStack() as own:
        opened = [own.enter_context(streaming(live, "reader")) for _ in range(2)]
        assert [each.status_code for each in opened] == [200, 200]
        with streaming(live, "reader") as refused, streaming(live, "admin") as other:
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
            assert other.status_code == 200
        opened[0].close()
        assert 200 in (status_of(live, "reader") for _ in range(1000))


@contextmanager
def streaming(live: LiveGateway, name: str) -> Iterator[httpx.Response]:
    """A stream of a principal, on a connection of its own."""
    with live.client(name) as client, client.stream("GET", PATH, headers=ACCEPT) as stream:
        yield stream


def status_of(live: LiveGateway, name: str) -> int:
    """What one more stream is answered with; it is closed again."""
    with streaming(live, name) as stream:
        return stream.status_code


@pytest.mark.parametrize("end", ["disable", "rotate", "delete"])
def test_a_stream_ends_with_the_right_to_it(live: LiveGateway, end: str, tmp_path: Path) -> None:
    """Nothing of what comes later is told to whom it was taken from."""
    words = ["--yes"] if end == "delete" else []
    with live.client("reader") as client, client.stream("GET", PATH, headers=ACCEPT) as stream:
        blocks = frames(stream)
        next(blocks)
        done = CliRunner().invoke(basegate, ["principal", end, "reader", *words, "--data", str(tmp_path / "data")])
        assert done.exit_code == 0, done.output
        time.sleep(1)  # the promise of docs/threat-model.md
        live.push(tmp_path / "two", "team/app:v2", cleared_image())
        assert all("data" not in block for block in blocks)


def test_a_stream_ends_with_its_secret(live: LiveGateway, tmp_path: Path) -> None:
    """The secret lasts for three seconds, the stream would last for an hour."""
    until = time.time() + 3
    secrets = make_secrets(["password1"], 3 / 86400, until - 3)
    asyncio.run(live.registry.app.services.stores.metadata.write(enrolment.rotate, "reader", secrets))
    auth = ("reader", secrets[0].value)
    with live.registry.client(auth=auth) as client, client.stream("GET", PATH, headers=ACCEPT) as stream:
        assert "retry" in next(blocks := frames(stream))
        time.sleep(max(0.0, until - time.time()) + 0.5)
        live.push(tmp_path / "two", "team/app:v2", cleared_image())
        assert all("data" not in block for block in blocks)


def test_a_stream_ends_whole_when_the_server_stops(live: LiveGateway) -> None:
    """The body comes to its end; nothing is cut off."""
    with live.client("reader") as client, client.stream("GET", PATH, headers=ACCEPT) as stream:
        blocks = frames(stream)
        next(blocks)
        live.registry.stop()
        assert all("data" not in block for block in blocks)
