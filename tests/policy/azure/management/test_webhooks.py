"""Webhooks over ARM: made, changed, told of pushes and deletes, and removed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.trees import cleared_image
from tests.policy.azure.endpoint import REGISTRY, LiveEndpoint, code_of, live_endpoint
from tests.registry.notifications.receiver import Receiver, receiving
from tests.waiting import wait_until

HOOK = f"{REGISTRY}/webhooks/hook1"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver."""
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEndpoint]:
    """An endpoint whose webhooks may be on this machine."""
    with live_endpoint(tmp_path_factory.mktemp("local") / "data", events={"webhooks_local": True}) as live:
        yield live


@pytest.fixture
def owner(local: LiveEndpoint) -> Iterator[httpx.Client]:
    """Who may make them; what is made is removed."""
    with local.signed_in() as client:
        yield client
        client.delete(HOOK)


def made(owner: httpx.Client, receiver: Receiver, **properties: Any) -> httpx.Response:
    """`az acr webhook create`."""
    said = {"serviceUri": receiver.url, "actions": ["push", "delete"], "status": "enabled", **properties}
    return owner.put(HOOK, json={"location": "local", "properties": said})


def heard(receiver: Receiver, count: int) -> list[dict[str, Any]]:
    """What has come, when there is so much of it."""
    wait_until(lambda: len(receiver.taken) >= count, 30)
    return [json.loads(each.body) for each in receiver.taken]


def deliveries(owner: httpx.Client) -> list[dict[str, Any]]:
    """What is listed of what was sent."""
    listed: list[dict[str, Any]] = owner.post(f"{HOOK}/listEvents").json()["value"]
    return listed


def begun(owner: httpx.Client, local: LiveEndpoint) -> None:
    """Wait until it is told of what comes."""
    metadata = local.gateway.registry.app.services.stores.metadata

    def query(connection: Any) -> bool:
        asked = "SELECT count(*) FROM event_sinks WHERE name = 'webhook-hook1'"
        return bool(connection.exec_driver_sql(asked).scalar())

    wait_until(lambda: metadata.read_now(query), 30)


def test_a_webhook_is_made_changed_and_removed(owner: httpx.Client, receiver: Receiver) -> None:
    """201, then 200; what is not said stays; its header fields are shown apart."""
    assert made(owner, receiver, customHeaders={"X-Key": "secret"}).status_code == 201
    changed = owner.patch(HOOK, json={"properties": {"scope": "team/*"}}).json()["properties"]
    assert (changed["scope"], changed["actions"], changed["status"]) == ("team/*", ["push", "delete"], "enabled")
    config = owner.post(f"{HOOK}/getCallbackConfig").json()
    assert config == {"serviceUri": receiver.url, "customHeaders": {"X-Key": "secret"}}
    assert [each["name"] for each in owner.get(f"{REGISTRY}/webhooks").json()["value"]] == ["hook1"]
    assert owner.delete(HOOK).status_code == 200
    assert code_of(owner.get(HOOK)) == (404, "ResourceNotFound")


def test_it_is_told_of_pushes_and_deletes(
    owner: httpx.Client, local: LiveEndpoint, receiver: Receiver, tmp_path: Path
) -> None:
    """In ACR's form, within its scope; what was sent is listed."""
    made(owner, receiver, scope="team/app:v*").raise_for_status()
    begun(owner, local)
    local.gateway.push(tmp_path / "one", "team/app:other", cleared_image())
    digest = local.gateway.push(tmp_path / "two", "team/app:v1", cleared_image())
    (push,) = heard(receiver, 1)
    assert (push["action"], push["target"]["repository"], push["target"]["tag"]) == ("push", "team/app", "v1")
    assert push["target"]["digest"] == digest
    wait_until(lambda: bool(deliveries(owner)))
    listed = deliveries(owner)
    assert listed[0]["eventRequestMessage"]["content"]["target"]["tag"] == "v1"
    assert listed[0]["eventResponseMessage"]["statusCode"] == "200"


def test_a_ping_is_sent_at_once(owner: httpx.Client, receiver: Receiver) -> None:
    """And listed, with what was answered."""
    made(owner, receiver).raise_for_status()
    pinged = owner.post(f"{HOOK}/ping").json()
    assert [each["action"] for each in heard(receiver, 1)] == ["ping"]
    assert owner.post(f"{HOOK}/listEvents").json()["value"][0]["id"] == pinged["id"]


@pytest.mark.parametrize(("status", "phrase"), [(202, "Accepted"), (503, "Service Unavailable")])
def test_what_was_answered_is_listed(owner: httpx.Client, receiver: Receiver, status: int, phrase: str) -> None:
    """The status as it came, whatever it was."""
    receiver.answer = lambda _request: status
    made(owner, receiver).raise_for_status()
    owner.post(f"{HOOK}/ping").raise_for_status()
    told = owner.post(f"{HOOK}/listEvents").json()["value"][0]["eventResponseMessage"]
    assert (told["statusCode"], told["reasonPhrase"]) == (str(status), phrase)


def test_a_password_in_the_address_is_not_shown(owner: httpx.Client, receiver: Receiver) -> None:
    """It is sent, and stands neither in the list of deliveries nor in what went wrong."""
    receiver.answer = lambda _request: 503
    made(owner, receiver, serviceUri=receiver.url.replace("//", "//user:hunter2@")).raise_for_status()
    owner.post(f"{HOOK}/ping").raise_for_status()
    (told,) = owner.post(f"{HOOK}/listEvents").json()["value"]
    assert receiver.tried[0].headers["authorization"] == "Basic dXNlcjpodW50ZXIy"
    assert told["eventRequestMessage"]["requestUri"] == receiver.url
    assert told["eventResponseMessage"]["content"] == f"{receiver.url.split('/')[2]} answered 503"


@pytest.mark.parametrize(
    "properties",
    [
        {"actions": []},
        {"actions": ["explode"]},
        {"serviceUri": "file:///etc/passwd"},
        {"status": "maybe"},
        {"customHeaders": {"A": "b\r\nC: d"}},
        {"customHeaders": {"X Key": "b"}},
        {"customHeaders": {"": "b"}},
        {"customHeaders": {"Schlüssel": "b"}},
        {"serviceUri": "http://[x/"},
        {"serviceUri": "http://host:99999/"},
    ],
)
def test_what_is_no_webhook_is_refused(owner: httpx.Client, receiver: Receiver, properties: dict[str, Any]) -> None:
    """With what is needed."""
    assert code_of(made(owner, receiver, **properties)) == (400, "InvalidRequestContent")


def test_a_webhook_is_not_on_this_machine(endpoint: LiveEndpoint, receiver: Receiver) -> None:
    """Unless a setting allows it: nothing is sent, and the list says why."""
    with endpoint.signed_in() as client:
        made(client, receiver).raise_for_status()
        client.post(f"{HOOK}/ping").raise_for_status()
        told = client.post(f"{HOOK}/listEvents").json()["value"][0]["eventResponseMessage"]["content"]
        client.delete(HOOK).raise_for_status()
    assert "loopback" in told
    assert receiver.tried == []


def test_only_owners_make_them(endpoint: LiveEndpoint, receiver: Receiver) -> None:
    """And see what they are told with."""
    with endpoint.signed_in("reader") as client:
        assert made(client, receiver).status_code == 403
        assert client.post(f"{HOOK}/getCallbackConfig").status_code == 403
