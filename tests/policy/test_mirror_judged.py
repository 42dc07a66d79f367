"""Images of an upstream are judged while they come: once, however many wait, and however long it takes."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from policy.app import build
from policy.settings import Settings
from registry.auth.actions import Role
from registry.auth.enrolment import draft
from registry.oci.digest import Digest
from tests.other_registries import OtherRegistry, distribution
from tests.policy.images_made import MadeImage, bad, good, image, layer
from tests.registry.auth.people import enrol
from tests.registry.mirror.line import Line, line_to
from tests.repository import Repository
from tests.servers import LiveRegistry, quiet, running

READER = draft("reader", Role.ACR_PULL)
AUTH = ("reader", READER.secret())
APP = "/v2/up/team/app"
NOISE = layer({"noise": os.urandom(4 << 20)})


@dataclass(frozen=True, slots=True)
class Front:
    """A basegate in front of a registry of others, over a line between them."""

    upstream: OtherRegistry
    line: Line
    live: LiveRegistry

    def holds(self, made: MadeImage) -> MadeImage:
        """Push an image to the upstream."""
        with self.upstream.client() as client:
            there = Repository(client, "team/app")
            for blob in made.blobs:
                there.blob(blob)
            assert there.put("v1", made.manifest).status_code == 201
        return made

    def opened(self) -> int:
        """How many layers were inspected."""
        with self.live.client() as client:
            lines = client.get("/metrics").text.splitlines()
        return int(float(next(line for line in lines if line.startswith("basegate_layers_opened_total")).split()[1]))


@contextmanager
def front(folder: Path, **settings: object) -> Iterator[Front]:
    """Start both."""
    with ExitStack() as opened:
        upstream = opened.enter_context(distribution(folder / "upstream"))
        line = opened.enter_context(line_to(upstream.host))
        data = folder / "data"
        enrol(data, READER)
        entry = {"prefix": "up", "url": f"http://{line.host}", "retry_seconds": 0, **settings}
        made = build(Settings.model_validate(quiet(data, upstreams=[entry])))
        yield Front(upstream, line, opened.enter_context(running(made)))


def pulled(client: httpx.Client) -> list[httpx.Response]:
    """The answers to one who asks again as long as the image is pending."""
    answers, end = [client.get(f"{APP}/manifests/v1")], time.monotonic() + 60
    while answers[-1].status_code == 503 and time.monotonic() < end:
        time.sleep(0.1)
        answers.append(client.get(f"{APP}/manifests/v1"))
    return answers


@pytest.mark.parametrize(("made", "status"), [(good(), 200), (bad(), 403)], ids=["cleared", "refused"])
def test_a_slow_upstream_is_pending_and_then_judged(tmp_path: Path, made: MadeImage, status: int) -> None:
    """At 5 MB/s the first answers say so; a later pull finds the verdict, and not a byte left before it."""
    noisy = image(NOISE, *made.layers)
    with front(tmp_path, wait_seconds=0.2) as site, site.live.client(auth=AUTH) as client:
        site.holds(noisy)
        site.line.rate = 5_000_000
        answers = pulled(client)
        blob = client.get(f"{APP}/blobs/{Digest.of(NOISE)}")
    assert (answers[0].status_code, answers[0].json()["errors"][0]["detail"]["state"]) == (503, "pending")
    assert int(answers[0].headers["retry-after"]) >= 1
    assert (answers[-1].status_code, blob.status_code) == (status, status)


def test_fifty_clients_on_a_cold_image(tmp_path: Path) -> None:
    """All are served; the upstream gives each blob once, and each layer is inspected once."""

    async def everybody(url: str) -> list[int]:
        async with httpx.AsyncClient(base_url=url, auth=AUTH, timeout=60) as client:
            asked = (client.get(f"{APP}/manifests/v1") for _ in range(50))
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    with front(tmp_path, wait_seconds=60) as site:
        made = site.holds(good())
        assert asyncio.run(everybody(site.live.url)) == [200] * 50
        fetched = [site.upstream.asked("GET", f"/blobs/{Digest.of(blob)}") for blob in made.blobs]
        assert (fetched, site.opened()) == ([1] * 3, len(made.layers))
