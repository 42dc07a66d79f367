"""`importImage`: an image of another registry, or of this one, comes in, and whoever asked is told when."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.trees import cleared_image
from tests.policy.azure.endpoint import REGISTRY, LiveEndpoint, code_of, live_endpoint
from tests.policy.live import LiveGateway, live_gateway

SECONDS = 60


@pytest.fixture(name="source", scope="module")
def _source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """Another registry with an image; its reader's credentials are needed for it."""
    folder = tmp_path_factory.mktemp("source")
    with live_gateway(folder / "data") as live:
        live.push(folder / "layout", "team/base:v1", cleared_image())
        yield live


@pytest.fixture(name="importing", scope="module")
def _importing(source: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEndpoint]:
    """An endpoint that may import from there."""
    data = tmp_path_factory.mktemp("importing") / "data"
    with live_endpoint(data, azure={"imports": {"registries": source.host}}) as live:
        yield live


def body(source: LiveGateway, *targets: str, **more: Any) -> dict[str, Any]:
    """What az sends."""
    login = {"username": "reader", "password": source.secrets["reader"]}
    named = {"registryUri": source.host, "sourceImage": "team/base:v1", "credentials": login}
    return {"source": named, "targetTags": list(targets), "mode": "NoForce"} | more


def finished(client: httpx.Client, begun: httpx.Response) -> httpx.Response:
    """The answer after the last 202, asked for as az does."""
    assert (begun.status_code, begun.headers["retry-after"]) == (202, "1")
    deadline = time.monotonic() + SECONDS
    while (answer := client.get(begun.headers["location"])).status_code == 202:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


def test_an_image_comes_in(importing: LiveEndpoint, source: LiveGateway) -> None:
    """Under its tag, judged like one that is pushed, for those who only pull."""
    with importing.signed_in() as client, importing.gateway.client("reader") as reader:
        answer = finished(client, client.post(f"{REGISTRY}/importImage", json=body(source, "copies/base:v1")))
        assert answer.status_code == 200
        assert reader.get("/v2/copies/base/manifests/v1").status_code == 200


def test_its_events_say_that_it_was_imported(importing: LiveEndpoint, source: LiveGateway) -> None:
    """The manifest's and the tag's."""
    with importing.signed_in() as client, importing.gateway.client("reader") as reader:
        finished(client, client.post(f"{REGISTRY}/importImage", json=body(source, "told/base:v1")))
        kinds = {"kind": ["manifest.pushed", "tag.set"], "repository": "told/base"}
        events = reader.get("/policy/v1/events", params=kinds).json()["events"]
    assert {(each["kind"], each["details"]["cause"]) for each in events} == {
        ("manifest.pushed", "import"),
        ("tag.set", "import"),
    }


def test_a_tag_that_is_there_does_not_move(importing: LiveEndpoint, source: LiveGateway) -> None:
    """Unless that is asked for."""
    with importing.signed_in() as client:
        asked = body(source, "twice/base:v1")
        finished(client, client.post(f"{REGISTRY}/importImage", json=asked))
        again = client.post(f"{REGISTRY}/importImage", json=asked)
        forced = finished(client, client.post(f"{REGISTRY}/importImage", json=asked | {"mode": "Force"}))
    assert (code_of(again), forced.status_code) == ((409, "Conflict"), 200)


def test_an_image_of_this_registry(importing: LiveEndpoint, source: LiveGateway) -> None:
    """Named by the registry's resource id, as az does when it finds the source among its registries."""
    own = {"source": {"resourceId": REGISTRY, "sourceImage": "first/base:v1"}, "targetTags": ["second/base:v2"]}
    with importing.signed_in() as client, importing.gateway.client("reader") as reader:
        finished(client, client.post(f"{REGISTRY}/importImage", json=body(source, "first/base:v1")))
        assert finished(client, client.post(f"{REGISTRY}/importImage", json=own)).status_code == 200
        assert reader.get("/v2/second/base/manifests/v2").status_code == 200


def test_an_image_that_is_not_there(importing: LiveEndpoint, source: LiveGateway) -> None:
    """The poll ends with what the other registry says."""
    asked = body(source, "absent/base:v1")
    asked["source"]["sourceImage"] = "team/absent:v1"
    with importing.signed_in() as client:
        answer = finished(client, client.post(f"{REGISTRY}/importImage", json=asked))
    assert code_of(answer) == (400, "ImportFailed")
    assert "team/absent" in answer.text


@pytest.mark.parametrize("host", ["127.0.0.2:1", "169.254.169.254", "localhost:9"])
def test_a_registry_further_inside_has_to_be_named(importing: LiveEndpoint, source: LiveGateway, host: str) -> None:
    """Loopback and link-local addresses are no business of whoever may push."""
    asked = body(source, "inside/base:v1")
    asked["source"]["registryUri"] = host
    with importing.signed_in() as client:
        assert code_of(client.post(f"{REGISTRY}/importImage", json=asked)) == (403, "AuthorizationFailed")


def test_who_may_not_push_imports_nothing(importing: LiveEndpoint, source: LiveGateway) -> None:
    """A reader is told so, and the source is not asked."""
    with importing.signed_in("reader") as client:
        answer = client.post(f"{REGISTRY}/importImage", json=body(source, "denied/base:v1"))
    assert code_of(answer) == (403, "AuthorizationFailed")


def test_nobody_else_is_told(importing: LiveEndpoint, source: LiveGateway) -> None:
    """Of an import that somebody has begun."""
    with importing.signed_in() as client, importing.signed_in("reader") as other:
        begun = client.post(f"{REGISTRY}/importImage", json=body(source, "private/base:v1"))
        assert code_of(other.get(begun.headers["location"])) == (404, "ResourceNotFound")
        finished(client, begun)


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": {}},
        {"source": {"registryUri": "https://x/y", "sourceImage": "a:b"}},
        {"source": {"registryUri": "x", "sourceImage": "A:b"}},
        {"source": {"resourceId": "/subscriptions/other", "sourceImage": "a:b"}},
        {"mode": "Sometimes"},
        {"targetTags": [7]},
        {"targetTags": ["a@sha256:0"]},
        {"targetTags": [f"a:{number}" for number in range(51)]},
        {"untaggedTargetRepositories": ["a:b"]},
    ],
)
def test_a_wrong_request_is_told(importing: LiveEndpoint, source: LiveGateway, wrong: dict[str, Any]) -> None:
    """With what is wrong with it."""
    with importing.signed_in() as client:
        answer = client.post(f"{REGISTRY}/importImage", json=body(source, "wrong/base:v1") | wrong)
    assert answer.status_code == 400


def test_without_a_setting_nothing_is_imported(tmp_path: Path, source: LiveGateway) -> None:
    """An empty list of registries."""
    with live_endpoint(tmp_path / "data", azure={"imports": {"registries": ""}}) as live, live.signed_in() as client:
        answer = client.post(f"{REGISTRY}/importImage", json=body(source, "none/base:v1"))
    assert code_of(answer) == (403, "AuthorizationFailed")
