"""Clients follow redirects to a store that checks signatures, whatever program they are."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.clients.client import Client, Endpoint
from tests.clients.conftest import homes
from tests.clients.crane import Crane
from tests.clients.layouts import Layout
from tests.clients.roster import Daemons, Entry, every
from tests.clients.trees import cleared_image
from tests.cluster.object_stores import versitygw
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.storage.toxic_store import ToxicStore, toxic
from tests.waiting import wait_until

__all__ = ["homes"]


@pytest.fixture(scope="module")
def daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemons]:
    """Those of docker and containerd."""
    with ExitStack() as until:
        yield Daemons(tmp_path_factory.mktemp("daemons"), until)


@pytest.fixture
def door() -> Iterator[ToxicStore]:
    """How clients reach the store: it counts what they ask."""
    with toxic(versitygw().endpoint) as door:
        yield door


@pytest.fixture
def live(tmp_path: Path, homes: Path, door: ToxicStore) -> Iterator[LiveGateway]:
    """A gateway with a cleared image of 8 MiB, which sends clients to the store for 2 s."""
    outside = door.endpoint.replace("127.0.0.1", "localhost")
    storage = versitygw().settings(tmp_path / "keys", redirect=True, redirect_endpoint=outside, redirect_seconds=2)
    layout = Layout(tmp_path / "images")
    layout.add("large", cleared_image(large=True))
    with live_gateway(tmp_path / "data", storage=storage) as live:
        owner = Crane(homes / "owner", Endpoint(live.host, None))
        owner.log_in("admin", live.secrets["admin"]).check()
        owner.push(layout, "large", f"{live.host}/team/app:v1").check()
        door.requests.clear()
        yield live


@pytest.mark.client("crane")
@pytest.mark.parametrize("entry", every())
def test_a_client_pulls_by_redirects(
    entry: Entry, live: LiveGateway, door: ToxicStore, homes: Path, daemons: Daemons
) -> None:
    """It has the layer from the store."""
    reader: Client = entry.make(homes / "reader", Endpoint(live.host, None), daemons)
    reader.log_in("reader", live.secrets["reader"]).check()
    reader.pull(f"{live.host}/team/app:v1").check()
    assert [request for request in door.requests if request.startswith("GET ") and "/blobs/" in request]


@pytest.mark.client("crane")
def test_an_address_ends(live: LiveGateway) -> None:
    """The store refuses it then."""
    with live.client("reader") as client:
        layers = client.get("/v2/team/app/manifests/v1").json()["layers"]
        digest = max(layers, key=lambda each: each["size"])["digest"]
        address = client.get(f"/v2/team/app/blobs/{digest}").headers["location"]
    assert httpx.get(address).status_code == 200
    wait_until(lambda: httpx.get(address).status_code == 403)
