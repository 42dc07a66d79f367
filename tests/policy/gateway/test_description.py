"""The description of the API is served to anybody, as a file and as a page."""

import re
from collections.abc import Iterator

import httpx
import pytest
import yaml

from tests.architecture.source import ROOT
from tests.policy.live import live_gateway


@pytest.fixture(scope="module", name="client")
def _client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Nobody's client of a server that asks everybody to sign in."""
    with live_gateway(tmp_path_factory.mktemp("data")) as live, live.registry.client() as client:
        yield client


def test_the_file(client: httpx.Client) -> None:
    """As it stands in the project."""
    answer = client.get("/openapi.yaml")
    assert answer.content == (ROOT / "config" / "openapi.yaml").read_bytes()
    assert answer.headers["content-type"] == "application/yaml"
    assert client.get("/openapi.yaml", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_the_page_has_every_endpoint(client: httpx.Client) -> None:
    """Each by its method and path."""
    page = client.get("/openapi").text
    paths = yaml.safe_load(client.get("/openapi.yaml").text)["paths"].items()
    calls = [f"{method.upper()} {path}" for path, item in paths for method in item.keys() - {"parameters"}]
    assert [call for call in calls if f"<code>{call}</code>" not in page] == []


def test_the_page_is_whole_by_itself(client: httpx.Client) -> None:
    """No script, nothing from elsewhere, and a policy that says so."""
    answer = client.get("/openapi")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script|https?://|style=", answer.text)


def test_the_page_tells_nothing_of_the_registry(client: httpx.Client) -> None:
    """It is the same for whoever signs in."""
    assert "sign out" not in client.get("/openapi").text
