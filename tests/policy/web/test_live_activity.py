"""Activity as it comes: every push on the page in its order, once, whatever ends the stream meanwhile."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway, live_gateway
from tests.policy.web.chromium import chromium, sign_in
from tests.policy.web.conftest import SignedIn

PUSHES = 1000
STREAM = {"Accept": "text/event-stream"}
_TYPE = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
_WATCH = """() => {
    window.shown = [];
    new MutationObserver((changes) => {
        for (const change of changes) for (const row of change.addedNodes)
            if (row.matches?.("tr") && row.textContent.includes("pushed")) window.shown.push(row.cells[4].textContent);
    }).observe(document.querySelector("tbody"), {childList: true});
}"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server with one image, whose streams last half a second."""
    folder = tmp_path_factory.mktemp("live")
    with live_gateway(folder / "data", events={"stream_seconds": 0.5, "poll_seconds": 0.05}) as gateway:
        gateway.push(folder / "image", "team/app:first", cleared_image())
        yield gateway


def push_all(live: LiveGateway) -> list[str]:
    """The image under a thousand more tags; the tags in the order of the pushes."""
    tags = [f"t{number:04}" for number in range(PUSHES)]
    with live.client("admin") as client:
        raw = client.get("/v2/team/app/manifests/first", headers={"Accept": _TYPE["Content-Type"]}).content
        for tag in tags:
            client.put(f"/v2/team/app/manifests/{tag}", content=raw, headers=_TYPE).raise_for_status()
    return tags


@pytest.fixture(scope="module")
def browser(live: LiveGateway) -> Iterator[Browser]:
    """Debian's Chromium, started after the server: each has a loop of its own."""
    with chromium() as opened:
        yield opened


def shown_at_last(page: Page) -> list[str]:
    """The tags of the rows that were added, when no more come. The page's policy forbids waiting for an expression."""
    end = time.monotonic() + 60
    while len(page.evaluate("window.shown")) < PUSHES and time.monotonic() < end:
        page.wait_for_timeout(200)
    page.wait_for_timeout(1500)
    shown: list[str] = page.evaluate("window.shown")
    return shown


@pytest.mark.client("chromium")
def test_a_thousand_pushes_through_streams_that_end(browser: Browser, live: LiveGateway) -> None:
    """Every one, in order, none twice: the browser comes again with the last id."""
    context = browser.new_context()
    page = sign_in(context, live)
    came: list[str] = []
    page.on("request", lambda asked: came.append(asked.url))
    page.goto(f"{live.registry.url}/activity")
    page.evaluate(_WATCH)
    tags = push_all(live)
    assert shown_at_last(page) == tags
    assert page.locator("tbody tr").count() == 50
    assert len([url for url in came if "after=" in url]) > 2
    context.close()


_PEND = """() => {
    const row = document.querySelector("tbody tr");
    row.querySelector("td").innerHTML = '<span class="is-pending">pending</span>';
    return row.id;
}"""


@pytest.mark.client("chromium")
def test_a_pending_row_is_asked_for_alone(browser: Browser, live: LiveGateway, tmp_path: Path) -> None:
    """Not the whole page with it; it then says its verdict."""
    context = browser.new_context()
    page = sign_in(context, live)
    page.goto(f"{live.registry.url}/activity")
    pending = page.evaluate(_PEND)
    with page.expect_request(lambda asked: "only=" in asked.url) as asked:
        live.push(tmp_path, "team/app:another", cleared_image())
    page.locator(".is-pending").wait_for(state="detached")
    assert asked.value.url.partition("?only=")[2] == pending.removeprefix("event-")
    assert "cleared" in page.locator(f"#{pending}").inner_text()
    context.close()


def rows_behind(client: httpx.Client, headers: dict[str, str], after: str = "0") -> list[str]:
    """What one stream of the page sends until it ends."""
    answer = client.get("/activity", params={"after": after}, headers=STREAM | headers, timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    return [line.removeprefix("data: ") for line in answer.text.split("\n") if line.startswith("data: ")]


def test_rows_are_those_of_the_page(signed_in: SignedIn) -> None:
    """The same HTML, for who may see the repositories; nobody else is sent any."""
    client = signed_in("reader")
    newest = client.get("/activity.json").json()["events"][0]["id"]
    sent = rows_behind(client, {}, str(newest - 1))
    page = client.get("/activity").text
    assert len(sent) == 1
    assert all(row in page for row in sent)
    assert rows_behind(signed_in("outsider"), {}) == []


def test_a_stream_goes_on_behind_the_last_id(signed_in: SignedIn) -> None:
    """Which counts before what the address says."""
    client = signed_in("reader")
    newest = max(each["id"] for each in client.get("/activity.json").json()["events"])
    assert len(rows_behind(client, {"Last-Event-ID": str(newest - 1)})) == 1
    assert client.get("/activity", headers=STREAM | {"Last-Event-ID": "x"}).status_code == 400


def test_a_stream_is_for_who_has_signed_in(live: LiveGateway) -> None:
    """Others get the form, which ends it for the browser."""
    with live.registry.client() as client:
        answer = client.get("/activity", headers=STREAM)
    assert (answer.status_code, "team" in answer.text) == (401, False)


def test_no_more_streams_than_may_be(live: LiveGateway, signed_in: SignedIn) -> None:
    """One more is refused, with what to change."""
    settings, before = live.registry.app.settings, live.registry.app.settings.current
    events = before.events.model_copy(update={"streams": 0})
    settings.replace(before.model_copy(update={"events": events}))
    answer = signed_in("reader").get("/activity", headers=STREAM)
    settings.replace(before)
    assert (answer.status_code, "events.streams" in answer.text) == (503, True)


def test_the_document_has_the_verdicts(signed_in: SignedIn) -> None:
    """Of what was pushed."""
    events = json.loads(signed_in("reader").get("/activity.json").text)["events"]
    assert {each["verdict"] for each in events if each["kind"] in {"manifest.pushed", "tag.set"}} == {"cleared"}
