"""A server killed while it fetches from an upstream: nothing half is seen, and what had come is not asked for again."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from registry.oci.digest import Digest
from tests.other_registries import OtherRegistry, distribution
from tests.policy.images_made import MadeImage, base, image, layer, miniconda
from tests.registry.mirror.line import Line, line_to
from tests.registry.mirror.site import NAME, upstream_settings
from tests.repository import Repository
from tests.server_process import Serving, serving

LARGE = 24 << 20
KILLS = 4
PART = 4 << 20
ON_THE_WAY = 5 << 19
"""What a kill may lose at most: what is in sockets, and what was not written yet."""


@pytest.fixture(scope="module")
def made() -> MadeImage:
    """An image that fits, with much in it."""
    noise = {f"opt/noise{number}": os.urandom(LARGE // 2) for number in range(2)}
    return image(layer(base()), layer(miniconda()), layer(noise))


@pytest.fixture
def upstream(tmp_path: Path, made: MadeImage) -> Iterator[OtherRegistry]:
    """A registry that has it."""
    with distribution(tmp_path / "upstream") as started:
        with started.client() as client:
            there = Repository(client, "team/app")
            for blob in made.blobs:
                there.blob(blob)
            assert there.put("v1", made.manifest).status_code == 201
        yield started


@contextmanager
def filled(folder: Path, line: Line) -> Iterator[tuple[Serving, httpx.Client]]:
    """A server that is filled over the line, and a client of it."""
    settings = folder / "settings.json"
    entry = upstream_settings(line.host, wait_seconds=0.1)
    settings.write_text(json.dumps({"auth": {"required": False}, "upstreams": [entry]}))
    with (
        serving(folder / "data", "--config", str(settings)) as server,
        httpx.Client(base_url=f"http://{server.host}", timeout=60) as client,
    ):
        yield server, client


def some_more(line: Line, size: int) -> None:
    """Wait until so many bytes more have come over the line."""
    before, deadline = line.passed, time.monotonic() + 60
    while line.passed < before + size:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill_while_fetching(folder: Path, line: Line) -> None:
    """Ask for the image, kill the server when a part of it has come, and see that there was nothing of it before."""
    with filled(folder, line) as (server, client):
        listed = client.get(f"/v2/{NAME}/tags/list")
        assert listed.status_code == 404 or listed.json()["tags"] == []
        assert client.get(f"/v2/{NAME}/manifests/v1").status_code == 503
        some_more(line, PART)
        server.process.kill()


def finished(client: httpx.Client) -> httpx.Response:
    """The manifest, once all of it has come."""
    deadline = time.monotonic() + 60
    while (answer := client.get(f"/v2/{NAME}/manifests/v1")).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


def test_kills_while_an_image_comes(tmp_path: Path, upstream: OtherRegistry, made: MadeImage) -> None:
    """After each nothing of the image is seen; in the end it is whole, with its verdict, and came about once."""
    with line_to(upstream.host) as line:
        line.rate = 8 << 20
        for _ in range(KILLS):
            kill_while_fetching(tmp_path, line)
        line.rate = 0
        with filled(tmp_path, line) as (_, client):
            assert finished(client).content == made.manifest
            blobs = [client.get(f"/v2/{NAME}/blobs/{Digest.of(blob)}").content for blob in made.blobs]
            verdict = client.get(f"/policy/v1/repositories/{NAME}/manifests/v1/verdict").json()["verdict"]
        assert blobs == list(made.blobs)
        assert verdict == "cleared"
        assert line.passed < LARGE + KILLS * ON_THE_WAY
