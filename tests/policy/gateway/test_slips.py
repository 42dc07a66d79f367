"""Slips in references and configurations that Azure ML reports late or badly are named by a check."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.layouts import DEFAULT_PATH, Image
from tests.clients.trees import cleared_image, ubuntu
from tests.policy.live import LiveGateway, live_gateway


@pytest.fixture(scope="module", name="gateway")
def _gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """`team/app` has v1 to v5 and no latest; `team/bare` an Ubuntu without Conda."""
    folder = tmp_path_factory.mktemp("slips")
    with live_gateway(folder / "data") as gateway:
        for number in range(1, 6):
            gateway.push(folder / f"v{number}", f"team/app:v{number}", cleared_image())
        gateway.push(folder / "bare", "team/bare:v1", Image((ubuntu(),), DEFAULT_PATH))
        yield gateway


def said(gateway: LiveGateway, reference: str) -> str:
    """The first finding of a check."""
    answer = gateway.check("reader", reference=reference).json()
    assert answer["allowed"] is False
    return str(answer["findings"][0]["message"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("team/app", "latest is meant where no tag is named, and team/app has v3, v4, v5 and 2 more: name one of them"),
        ("team/app:v55", "team/app has v5 and 4 more: push it first, or name one of them"),
        ("team/app:else", "team/app has v3, v4, v5 and 2 more: push it first, or name one of them"),
        ("team/other", "is not in this registry: push it first"),
        (f"team/app@sha256:{'0' * 64}", "is not in this registry: push it first"),
    ],
)
def test_a_tag_that_is_not_there(gateway: LiveGateway, name: str, words: str) -> None:
    """The tags that are there are named, the nearest first; without a tag, that latest was meant."""
    assert said(gateway, f"{gateway.host}/{name}").endswith(words)


def test_the_registry_twice(gateway: LiveGateway) -> None:
    """With its port it is no name at all, and the message says how to write it."""
    response = gateway.check("reader", reference=f"{gateway.host}/{gateway.host}/team/app:v1")
    assert response.status_code == 400
    expected = f"names its registry twice: write {gateway.host}/team/app:v1"
    assert expected in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("host", ["myregistry.azurecr.io", "127.0.0.1:5000"])
def test_the_registry_twice_in_a_configuration(gateway: LiveGateway, host: str) -> None:
    """The service would look for an image of that long name."""
    config = {"entryScript": "score.py", "runtime": "python", "baseImage": f"{host}/{host}/team/app:v1"}
    findings = gateway.check("reader", inferenceConfig=config).json()["findings"]
    twice = [finding for finding in findings if f"write {host}/team/app:v1" in finding["message"]]
    assert [finding["result"] for finding in twice] == ["fail"]


def environment(gateway: LiveGateway, name: str, **python: Any) -> dict[str, Any]:
    """A configuration in the environment form."""
    return {
        "entryScript": "score.py",
        "environment": {"python": python, "docker": {"baseImage": f"{gateway.host}/{name}"}},
    }


@pytest.mark.parametrize(
    ("name", "python", "words"),
    [
        ("team/bare:v1", {}, ["or set environment.python.userManagedDependencies to true"]),
        ("team/bare:v1", {"userManagedDependencies": True}, ["Azure ML allows as environment.python.userManaged"]),
        ("team/app:v1", {}, []),
    ],
)
def test_an_image_without_conda(gateway: LiveGateway, name: str, python: dict[str, Any], words: list[str]) -> None:
    """What to set is said, or that it is set; of an image with Conda nothing."""
    answer = gateway.check("reader", inferenceConfig=environment(gateway, name, **python)).json()
    remarks = [finding["message"] for finding in answer["findings"] if "the image has no Conda" in finding["message"]]
    assert [all(word in remark for word in words) for remark in remarks] == [True] * len(words)
    assert len(remarks) == len(words)
