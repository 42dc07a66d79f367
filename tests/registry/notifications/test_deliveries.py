"""Deliveries to sinks: what is sent, in which order, how often, and where to."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from registry.config.sinks import SinkSettings
from registry.metadata import events, sinks, webhooks
from registry.metadata.events import Event
from registry.metadata.webhooks import Webhook
from registry.notifications import delivery
from registry.notifications.deliveries import Deliveries
from registry.notifications.delivery import Delivery, pause_after
from registry.notifications.formats import Origin, ping
from registry.notifications.post import connection_to, deliver
from registry.notifications.sink import Sink, SinkUnusable
from registry.notifications.webhook_sinks import sink_of
from registry.oci.names import Tag
from registry.telemetry import store_metrics
from tests.registry.notifications.receiver import Delivered, Receiver, receiving
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver."""
    with receiving() as made:
        yield made


def sink(receiver: Receiver, **settings: Any) -> Sink:
    """A sink of it."""
    return Sink.of(SinkSettings.model_validate({"name": "ci", "url": receiver.url, "local": True, **settings}))


@asynccontextmanager
async def telling(services: OpenServices, told: Sink, **options: Any) -> AsyncIterator[None]:
    """Tell a sink in the background, from the beginning of everything."""
    await services.metadata.write(sinks.begin, told.name)
    await services.metadata.write(sinks.move, told.name, 0)
    task = asyncio.create_task(Delivery(told, services.metadata, **options).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def beside(work: Coroutine[Any, Any, None], meanwhile: Coroutine[Any, Any, None]) -> None:
    """Do something while work without an end goes on; it is cut off then."""
    task = asyncio.create_task(work)
    await meanwhile
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(wanted: Any) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(30):
        while not wanted():  # noqa: ASYNC110  what is waited for is in another thread
            await asyncio.sleep(0.01)


def told(services: OpenServices, receiver: Receiver, count: int, **settings: Any) -> list[dict[str, Any]]:
    """The first documents that a sink takes."""

    async def work() -> None:
        async with telling(services, sink(receiver, **settings)):
            await until(lambda: len(receiver.taken) >= count)

    services.run(work())
    return [json.loads(each.body) for each in receiver.taken]


def test_every_event_is_told_in_order(services: OpenServices, receiver: Receiver) -> None:
    """As CloudEvents, with the document that the feed has."""
    services.run(services.push_image(Tag("v1")))
    found = told(services, receiver, 4)
    assert [each["type"] for each in found][2:] == ["basegate.manifest.pushed", "basegate.tag.set"]
    assert [int(each["id"]) for each in found] == [1, 2, 3, 4]
    assert found[3]["subject"] == "team/app:v1"
    assert receiver.taken[0].headers["content-type"] == "application/cloudevents+json"


def test_a_sink_hears_what_it_wants(services: OpenServices, receiver: Receiver) -> None:
    """By kind and by repository."""
    services.run(services.push_image(Tag("v1")))
    services.run(services.push_image(Tag("v2")))
    found = told(services, receiver, 2, kinds=["tag.*"], repositories=["team/*"])
    assert [each["data"]["tag"] for each in found] == ["v1", "v2"]


def test_docker_form(services: OpenServices, receiver: Receiver) -> None:
    """As distribution sends it: an envelope, action and target."""
    services.run(services.push_image(Tag("v1")))
    services.run(services.manifests.delete(REPOSITORY, Tag("v1"), PUSHER))
    found = told(services, receiver, 2, format="docker", kinds=["manifest.*", "tag.*"])
    (push,), (gone,) = (each["events"] for each in found)
    assert (push["action"], push["target"]["repository"], push["target"]["tag"]) == ("push", "team/app", "v1")
    assert (gone["action"], gone["target"]["tag"]) == ("delete", "v1")
    assert push["target"]["size"] == push["target"]["length"] > 0


def test_acr_form(services: OpenServices, receiver: Receiver) -> None:
    """As ACR's webhooks send it: one object."""
    services.run(services.push_image(Tag("v1")))
    (push,) = told(services, receiver, 1, format="acr")
    assert (push["action"], push["target"]["tag"], push["request"]["method"]) == ("push", "v1", "PUT")


def test_deliveries_are_signed(services: OpenServices, receiver: Receiver, tmp_path: Path) -> None:
    """By Standard Webhooks: a receiver with the secret can tell who has sent it."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "token").write_text("Bearer x\n")
    services.run(services.push_blob(b"layer"))
    told(services, receiver, 1, secret=tmp_path / "secret", headers={"Authorization": tmp_path / "token"})
    headers, body = receiver.taken[0].headers, receiver.taken[0].body
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(b"0123456789abcdef01234567", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert headers["authorization"] == "Bearer x"


def test_what_fails_comes_again_with_the_same_id(
    services: OpenServices, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything later."""
    monkeypatch.setattr(delivery, "pause_after", lambda _failures: 0.01)
    services.run(services.push_image(Tag("v1")))
    receiver.answer = lambda _request: 200 if len(receiver.tried) % 3 == 2 else 503
    told(services, receiver, 4)
    ids = [json.loads(each.body)["id"] for each in receiver.tried]
    assert ids == [number for number in "1234" for _ in range(3)]
    assert len({each.headers["webhook-id"] for each in receiver.tried}) == 4


def test_a_redirection_is_not_followed(
    services: OpenServices, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a failure like any other."""
    monkeypatch.setattr(delivery, "pause_after", lambda _failures: 0.01)
    services.run(services.push_blob(b"layer"))
    receiver.answer = lambda _request: 302 if len(receiver.tried) < 3 else 200
    told(services, receiver, 1)
    assert {each.path for each in receiver.tried} == {"/hook"}


def test_an_event_can_be_given_up(services: OpenServices, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds, if the settings say so; what comes later is told."""
    monkeypatch.setattr(delivery, "pause_after", lambda _failures: 0.01)
    services.run(services.push_image(Tag("v1")))
    receiver.answer = lambda request: 500 if json.loads(request.body)["id"] == "1" else 200
    found = told(services, receiver, 3, give_up_seconds=0.05)
    assert [each["id"] for each in found] == ["2", "3", "4"]
    state = services.run(services.metadata.read(sinks.find, "ci"))
    assert state is not None
    assert state.given_up == 1


def pushed(services: OpenServices, *tags: str) -> None:
    """Record that a manifest was pushed with some tags at once."""
    event = Event("manifest.pushed", REPOSITORY, details={"tags": list(tags)})
    services.run(services.metadata.write(events.record, 1.0, [event]))


def tag_of(request: Delivered) -> str:
    """The tag that a delivery in ACR's form tells of."""
    return str(json.loads(request.body)["target"]["tag"])


def test_an_event_of_several_tags_can_be_given_up(
    services: OpenServices, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although its first tag is taken on every try."""
    monkeypatch.setattr(delivery, "pause_after", lambda _failures: 0.01)
    pushed(services, "a", "b")
    pushed(services, "later")
    receiver.answer = lambda request: 500 if tag_of(request) == "b" else 200

    async def work() -> None:
        async with telling(services, sink(receiver, format="acr", give_up_seconds=0.05)):
            await until(lambda: receiver.taken and tag_of(receiver.taken[-1]) == "later")

    services.run(work())


def test_a_webhook_of_a_tag_hears_of_no_other(services: OpenServices, receiver: Receiver) -> None:
    """Though they were pushed together."""
    pushed(services, "a1", "b")
    pushed(services, "a2")
    hook = Webhook("hook1", receiver.url, ("push",), "team/app:a*", {}, enabled=True, created=0.0)

    async def work() -> None:
        async with telling(services, sink_of(hook, local=True)):
            await until(lambda: receiver.taken and tag_of(receiver.taken[-1]) == "a2")

    services.run(work())
    assert [tag_of(each) for each in receiver.taken] == ["a1", "a2"]


def test_a_header_that_cannot_be_sent_is_a_failed_try(
    services: OpenServices, receiver: Receiver, tmp_path: Path
) -> None:
    """It ends no delivery: what is wrong is said."""
    (tmp_path / "key").write_text("schlüssel", encoding="utf-8")
    told = sink(receiver, headers={"X-Key": tmp_path / "key"})

    async def work() -> str:
        with connection_to(told) as connection:
            return (await deliver(connection, told, ping("acr", Origin(""), 0.0))).problem

    assert "cannot be told: 'ascii' codec can't encode" in services.run(work())


def test_a_webhook_that_fails_can_be_removed(
    services: OpenServices, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its delivery ends, and writes nothing of it anew."""
    monkeypatch.setattr(delivery, "pause_after", lambda _failures: 0.01)
    pushed(services, "v1")
    hook = Webhook("hook1", receiver.url, ("push",), "", {}, enabled=True, created=0.0)
    for change in (webhooks.put, hook), (sinks.begin, "webhook-hook1"), (sinks.move, "webhook-hook1", 0):
        services.run(services.metadata.write(*change))
    receiver.answer = lambda _request: 503

    async def work() -> None:
        task = asyncio.create_task(Delivery(sink_of(hook, local=True), services.metadata, keep=lambda: 9).run())
        await until(lambda: len(receiver.tried) > 1)
        await services.metadata.write(webhooks.remove, "hook1")
        await until(task.done)

    services.run(work())
    assert [*services.metadata.read_now(sinks.every), *services.metadata.read_now(webhooks.deliveries, "hook1")] == []


@pytest.mark.parametrize(
    ("groups", "host"),
    [
        ({}, "127.0.0.1:5000"),
        ({"auth": {"service": "hub.example"}}, "hub.example"),
        ({"auth": {"service": "hub.example"}, "events": {"host": "other.example:8443"}}, "other.example:8443"),
    ],
)
def test_deliveries_say_what_the_registry_is_called(
    services: OpenServices, receiver: Receiver, groups: dict[str, Any], host: str
) -> None:
    """Whoever gets one pulls from there."""
    entry = {"name": "ci", "url": receiver.url, "local": True, "format": "docker"}
    services.configure(**{**groups, "events": {**groups.get("events", {}), "sinks": [entry]}})

    async def meanwhile() -> None:
        await until(lambda: services.metadata.read_now(sinks.find, "ci") is not None)
        await services.metadata.write(events.record, 1.0, [Event("manifest.pushed", REPOSITORY)])
        await until(lambda: receiver.taken)

    services.run(beside(Deliveries(services.metadata, services.settings).run(), meanwhile()))
    (told,) = json.loads(receiver.taken[0].body)["events"]
    assert (told["request"]["host"], told["source"]["addr"]) == (host, host)


def test_how_many_deliveries_are_kept_follows_the_settings(services: OpenServices, receiver: Receiver) -> None:
    """Without a restart, for a webhook that is being told."""
    services.configure(events={"webhooks_local": True})
    hook = Webhook("hook1", receiver.url, ("push",), "", {}, enabled=True, created=0.0)
    services.run(services.metadata.write(webhooks.put, hook))

    async def meanwhile() -> None:
        await until(lambda: services.metadata.read_now(sinks.find, "webhook-hook1") is not None)
        for _ in range(2):
            await services.metadata.write(events.record, 1.0, [Event("manifest.pushed", REPOSITORY)])
            await until(lambda: services.metadata.read_now(webhooks.deliveries, "hook1"))
            services.configure(events={"webhooks_local": True, "webhook_deliveries": 1})
        await until(lambda: len(receiver.taken) == 2)

    services.run(beside(Deliveries(services.metadata, services.settings).run(), meanwhile()))
    assert len(services.metadata.read_now(webhooks.deliveries, "hook1")) == 1


def test_only_sinks_in_force_are_behind(services: OpenServices) -> None:
    """Not those that the settings have no more, nor disabled webhooks."""
    off = Webhook("off00", "http://h/", ("push",), "", {}, enabled=False, created=0.0)
    for hook in (off, replace(off, name="on000", enabled=True)):
        services.run(services.metadata.write(webhooks.put, hook))
    for name in ("ci", "gone", "webhook-off00", "webhook-on000"):
        services.run(services.metadata.write(sinks.begin, name))
    held = services.run(services.metadata.read(store_metrics.count, ["ci"]))
    assert set(held.lags) == {"ci", "webhook-on000"}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{}/",
        "http://localhost:{}/",
        "http://2130706433:{}/",
        "http://0.0.0.0:{}/",
        "http://[::ffff:127.0.0.1]:{}/",
    ],
)
def test_a_sink_is_not_on_this_machine(services: OpenServices, receiver: Receiver, url: str) -> None:
    """Unless the settings allow it; nothing is sent."""
    port = receiver.url.split(":")[2].partition("/")[0]
    services.run(services.push_blob(b"layer"))

    async def work() -> str:
        async with telling(services, sink(receiver, url=url.format(port), local=False)):
            while True:
                state = await services.metadata.read(sinks.find, "ci")
                if state is not None and state.error:
                    return state.error
                await asyncio.sleep(0.01)

    assert "loopback" in services.run(work())
    assert receiver.tried == []


def test_pauses_grow_up_to_five_minutes() -> None:
    """Twice as long each time."""
    assert [pause_after(number) for number in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]


def test_a_new_sink_hears_what_comes(services: OpenServices, receiver: Receiver) -> None:
    """Not what was before; a cursor that somebody moves counts at once."""
    services.run(services.push_blob(b"layer"))
    services.configure(events={"sinks": [{"name": "ci", "url": receiver.url, "local": True}]})

    async def meanwhile() -> None:
        await until(lambda: services.metadata.read_now(sinks.find, "ci") is not None)
        await services.push_blob(b"other")
        await until(lambda: len(receiver.taken) == 1)
        await services.metadata.write(sinks.move, "ci", 0)
        await until(lambda: len(receiver.taken) == 3)

    services.run(beside(Deliveries(services.metadata, services.settings).run(), meanwhile()))
    assert [json.loads(each.body)["id"] for each in receiver.taken] == ["2", "1", "2"]


def test_deliveries_outlast_a_failed_read(services: OpenServices, receiver: Receiver) -> None:
    """The table of webhooks is away for a moment: sinks are told all the same, later."""
    services.configure(events={"sinks": [{"name": "ci", "url": receiver.url, "local": True}]})
    services.run(services.metadata.write(renamed, "webhooks", "away"))

    async def meanwhile() -> None:
        with capture_logs() as lines:
            await until(lambda: lines)
        await services.metadata.write(renamed, "away", "webhooks")
        await until(lambda: services.metadata.read_now(sinks.find, "ci") is not None)

    services.run(beside(Deliveries(services.metadata, services.settings).run(), meanwhile()))


def renamed(connection: Any, before: str, after: str) -> None:
    """Give a table another name."""
    connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")


def test_a_file_that_is_not_there_is_said(receiver: Receiver, tmp_path: Path) -> None:
    """With the name of the sink."""
    with pytest.raises(SinkUnusable, match="sink ci names"):
        sink(receiver, secret=tmp_path / "absent")


def test_none_is_lost_over_crashes(services: OpenServices, receiver: Receiver) -> None:
    """Deliveries that are cut off anywhere: every event arrives, the first time each in its order."""

    def many(connection: Any) -> None:
        events.record(connection, 1.0, [Event("tag.moved", REPOSITORY, "", f"t{number}") for number in range(300)])

    services.run(services.metadata.write(many))
    services.run(cut_off(services, receiver, 300))
    first = list(dict.fromkeys(json.loads(each.body)["id"] for each in receiver.taken))
    assert first == [str(number) for number in range(1, 301)]


async def cut_off(services: OpenServices, receiver: Receiver, count: int) -> None:
    """Tell, for moments, until everything has arrived."""
    await services.metadata.write(sinks.begin, "ci")
    await services.metadata.write(sinks.move, "ci", 0)
    number = 0
    while len({each.headers["webhook-id"] for each in receiver.taken}) < count:
        number += 1
        await beside(Delivery(sink(receiver), services.metadata).run(), asyncio.sleep(0.02 + number % 7 / 50))
