"""Deliveries as programs of others read them: the SDK of CloudEvents, the verifier of Standard Webhooks, an updater."""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from registry.config.sinks import SinkSettings
from registry.metadata import sinks
from registry.metadata.events import Event, Recorded
from registry.notifications.formats import FORMS, Origin, ping
from registry.notifications.post import connection_to, deliver
from registry.notifications.sink import Sink
from tests.ports import free_port
from tests.registry.notifications.receiver import Delivered, Receiver, receiving
from tests.repository import Repository
from tests.servers import open_registry

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
ORIGIN = Origin("11111111-1111-4111-8111-111111111111", "hub.example")
KINDS = ("blob.pushed", "manifest.pushed", "tag.set", "tag.deleted", "repository.deleted", "verdict.set")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver."""
    with receiving() as made:
        yield made


def delivered(receiver: Receiver, folder: Path, event: Event | None) -> Delivered:
    """What arrives when an event is told (`None`: a ping), signed."""
    (folder / "secret").write_text(SECRET)
    settings = {"name": "ci", "url": receiver.url, "local": True, "secret": folder / "secret"}
    sink = Sink.of(SinkSettings.model_validate(settings))
    recorded = None if event is None else Recorded(7, 1_700_000_000.25, "ann", event)
    payload = ping("cloudevents", ORIGIN, 1.0) if recorded is None else next(FORMS["cloudevents"](recorded, ORIGIN))

    async def work() -> None:
        with connection_to(sink) as connection:
            assert not (await deliver(connection, sink, payload)).problem

    asyncio.run(work())
    return receiver.taken[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_sdk_of_cloudevents_reads_them(receiver: Receiver, tmp_path: Path, kind: str) -> None:
    """All attributes that it requires are there, and mean the same."""
    got = delivered(receiver, tmp_path, Event(kind, "team/app", "sha256:" + "0" * 64, "v1", details={"size": 1}))
    event = from_http_event(HTTPMessage(got.headers, got.body))
    assert (event.get_id(), event.get_type(), event.get_subject()) == ("7", f"basegate.{kind}", "team/app:v1")
    assert event.get_time() == datetime.fromtimestamp(1_700_000_000.25, UTC)
    data = event.get_data()
    assert isinstance(data, dict)
    assert (data["kind"], data["details"]) == (kind, {"size": 1})


def test_the_sdk_of_cloudevents_reads_a_ping(receiver: Receiver, tmp_path: Path) -> None:
    """It has no data."""
    got = delivered(receiver, tmp_path, None)
    assert from_http_event(HTTPMessage(got.headers, got.body)).get_type() == "basegate.ping"


def test_the_verifier_of_standard_webhooks_takes_them(receiver: Receiver, tmp_path: Path) -> None:
    """And nothing that was changed on the way."""
    got = delivered(receiver, tmp_path, Event("tag.set", "team/app", tag="v1"))
    assert Webhook(SECRET).verify(got.body, got.headers) == json.loads(got.body)
    later = str(int(got.headers["webhook-timestamp"]) + 1)
    for name, value in (("webhook-id", "other"), ("webhook-timestamp", later)):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(got.body, {**got.headers, name: value})
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(got.body + b" ", got.headers)


def test_an_updater_pulls_what_a_notification_names(receiver: Receiver, tmp_path: Path) -> None:
    """As keel does with those of distribution: host, repository and tag are the image that it goes on with."""
    host = f"127.0.0.1:{free_port()}"
    sink = {"name": "keel", "url": receiver.url, "local": True, "format": "docker", "kinds": ["manifest.*"]}
    with open_registry(tmp_path, listen=host, events={"sinks": [sink]}) as live, live.client() as client:
        while asyncio.run(live.app.services.stores.metadata.read(sinks.find, "keel")) is None:
            time.sleep(0.02)
        image = Repository(client, "team/app").image("v1")
        while not receiver.taken:
            time.sleep(0.02)
        (told,) = json.loads(receiver.taken[0].body)["events"]
        place = f"http://{told['request']['host']}/v2/{told['target']['repository']}/manifests/{told['target']['tag']}"
        pulled = httpx.get(place).headers["docker-content-digest"]
    assert (told["action"], pulled) == ("push", image.digest)
    assert told["target"]["digest"] == image.digest
