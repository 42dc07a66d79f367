"""Upstreams that want credentials: they come from a file, and stay between the two registries."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.other_registries import ALICE, OtherRegistry, distribution
from tests.registry.mirror.site import NAME, message, upstream_settings
from tests.repository import Pushed, Repository
from tests.servers import open_registry


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[OtherRegistry, Pushed]]:
    """A registry that alice may use, and an image in it."""
    with distribution(tmp_path / "upstream", htpasswd=ALICE) as upstream, upstream.client() as client:
        client.auth = ("alice", "secret")
        yield upstream, Repository(client, "team/app").image("v1")


def test_credentials_of_a_file(guarded: tuple[OtherRegistry, Pushed], tmp_path: Path) -> None:
    """What docker has stored is enough; nothing of it, and no challenge, is in the answer."""
    upstream, image = guarded
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"auths": {upstream.host: {"auth": "YWxpY2U6c2VjcmV0"}}}))
    entry = upstream_settings(upstream.host, credentials=str(file))
    with open_registry(tmp_path / "data", upstreams=[entry]) as live, live.client() as client:
        answer = client.get(f"/v2/{NAME}/manifests/v1")
    assert (answer.status_code, answer.content) == (200, image.raw)
    assert not {"www-authenticate", "authorization", "location", "set-cookie"} & answer.headers.keys()


def test_no_credentials(guarded: tuple[OtherRegistry, Pushed], tmp_path: Path) -> None:
    """Without them the answer says what is missing, and where; a file that is not there is named."""
    entries = [
        upstream_settings(guarded[0].host),
        upstream_settings(guarded[0].host, prefix="other", credentials=str(tmp_path / "absent.json")),
    ]
    with open_registry(tmp_path / "data", upstreams=entries) as live, live.client() as client:
        answers = [client.get(f"/v2/{name}/team/app/manifests/v1") for name in ("up", "other")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert "asks for credentials" in message(answers[0])
    assert "absent.json is not there" in message(answers[1])
