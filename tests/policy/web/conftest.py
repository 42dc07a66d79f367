"""A live basegate with a cleared and a refused image, and people who have signed in on its page."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway

SignedIn = Callable[[str], httpx.Client]
OWN = {"Sec-Fetch-Site": "same-origin"}
"""What browsers say of a form of the page itself."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """`team/app` has `good` and `bad`, `team/multi` an index of two platforms."""
    folder = tmp_path_factory.mktemp("web")
    throttle = {"delay_seconds": 0.0, "pair_failures": 1000, "address_failures": 1000}
    with live_gateway(folder / "data", auth={"throttle": throttle}, pulls={"write_seconds": 0.05}) as gateway:
        gateway.push(folder / "good", "team/app:good", cleared_image())
        gateway.push(folder / "bad", "team/app:bad", refused_image())
        gateway.push(folder / "multi", "team/multi:v1", cleared_image(), cleared_image(architecture="arm64"))
        yield gateway


@pytest.fixture
def signed_in(live: LiveGateway) -> Iterator[SignedIn]:
    """Opens a session of a principal; the client is closed at the end."""
    with ExitStack() as opened:

        def sign_in(name: str) -> httpx.Client:
            client = live.registry.client()
            opened.callback(client.close)
            answer = client.post("/sign-in", data={"username": name, "password": live.secrets[name]}, headers=OWN)
            assert answer.status_code == 303, answer.text
            return client

        yield sign_in
