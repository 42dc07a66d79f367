"""A basegate that has judged and refused, and what its /metrics then says."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway


@contextmanager
def judged(folder: Path) -> Iterator[LiveGateway]:
    """A cleared and a refused image, the second asked for in vain: as a manifest, and for a deployment."""
    with live_gateway(folder / "data") as gateway:
        gateway.push(folder / "good", "team/app:good", cleared_image())
        gateway.push(folder / "bad", "team/app:bad", refused_image())
        with gateway.client("reader") as reader:
            assert reader.get("/v2/team/app/manifests/bad").status_code == 403
        answer = gateway.check("reader", reference=f"{gateway.host}/team/app:bad")
        assert answer.json()["allowed"] is False
        yield gateway


def scraped(gateway: LiveGateway) -> str:
    """What /metrics says, once rows have been counted with all of them."""
    with gateway.registry.client() as client:
        while "basegate_tags 2.0" not in (text := client.get("/metrics").text):
            time.sleep(0.05)
    return text
