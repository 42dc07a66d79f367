"""One live gateway for the tests of reviews, with images in every state in it."""

from collections.abc import Iterator

import pytest

from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway

LAB = "registry.lab.example"
"""Its name in images, as clusters have it."""


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """`team/app` holds `good`, `bad` and `both` (an index of the two); proxies on this machine are believed."""
    folder = tmp_path_factory.mktemp("kubernetes")
    proxies = {"trusted_proxies": ["127.0.0.1"]}
    with live_gateway(folder / "data", gateway={"hosts": LAB}, server=proxies) as live:
        live.push(folder / "good", "team/app:good", cleared_image())
        live.push(folder / "bad", "team/app:bad", refused_image())
        live.push(folder / "both", "team/app:both", cleared_image(), refused_image())
        yield live
