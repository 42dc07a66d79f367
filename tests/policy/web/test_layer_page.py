"""A layer's page: what takes the room in it, for who may pull an image that it is part of."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.layouts import DEFAULT_PATH, Image
from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway
from tests.policy.web.conftest import SignedIn


def layers_of(client: httpx.Client, reference: str) -> list[str]:
    """Digests of an image's layers."""
    return [each["digest"] for each in client.get(f"/r/{reference}.json").json()["layers"]]


def contents_of(client: httpx.Client, digest: str) -> dict[str, Any]:
    """What takes the room in a layer, when it is looked up."""
    for _ in range(100):
        contents: dict[str, Any] = client.get(f"/layers/{digest}.json").json()["contents"]
        if not contents["pending"]:
            return contents
        time.sleep(0.05)
    raise AssertionError("still pending")


def test_the_largest_files_and_directories(live: LiveGateway, signed_in: SignedIn, tmp_path: Path) -> None:
    """With their paths and sizes, on the page as in the document."""
    live.push(tmp_path, "large/app:v1", cleared_image(large=True))
    live.settle()
    client = signed_in("reader")
    digest = layers_of(client, "large/app:v1")[-1]
    contents = contents_of(client, digest)
    assert contents["largest_files"] == [{"path": "opt/weights.bin", "size": 8 << 20}]
    assert contents["largest_directories"] == [{"path": "opt", "size": 8 << 20}]
    assert "opt/weights.bin" in client.get(f"/layers/{digest}").text


def test_only_who_may_pull_an_image_with_it(signed_in: SignedIn) -> None:
    """Neither the first page nor a further one tells others of files."""
    digest = layers_of(signed_in("admin"), "team/app:good")[0]
    assert contents_of(signed_in("reader"), digest)["files"]
    for query in ("", "?after=a"):
        assert "usr/lib/os-release" not in signed_in("outsider").get(f"/layers/{digest}{query}").text
    assert signed_in("reader").get(f"/layers/{digest}.json", params={"after": "zzz"}).json()["contents"] is None


@pytest.mark.parametrize("path", ["a\x1b[31m<b>", "d/" * 120 + "z", "\u202egnp.exe"])
def test_paths_are_hostile(live: LiveGateway, signed_in: SignedIn, tmp_path: Path, path: str) -> None:
    """They are text, cut at their beginning, with what cannot be seen made visible."""
    live.push(tmp_path, "hostile/app:v1", Image(({path: b"x" * 100_000},), DEFAULT_PATH))
    live.settle()
    client = signed_in("admin")
    digest = layers_of(client, "hostile/app:v1")[0]
    (shown,) = contents_of(client, digest)["largest_files"]
    assert len(shown["path"]) <= 210
    page = client.get(f"/layers/{digest}").text
    assert not any(raw in page for raw in ("\x1b", "<b>", "\u202e"))
