"""Two servers over one object store and one PostgreSQL: any of them takes and answers any request."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from policy.app import build
from policy.enforcement.gate import PolicyGate
from policy.enforcement.judging_stores import ResultsUnusable
from policy.settings import Settings
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto
from tests.servers import quiet, running
from tests.waiting import wait_until

PUSHES = 50
ACCEPT = {"Accept": "application/vnd.oci.image.manifest.v1+json"}


@pytest.fixture
def servers(postgres: PostgresServer, tmp_path: Path) -> Iterator[list[LiveGateway]]:
    """Both, each with a data folder of its own."""
    groups: dict[str, Any] = {"storage": moto().settings(tmp_path), "metadata": postgres.settings()}
    with live_gateway(tmp_path / "first", **groups) as first:
        settings = Settings.model_validate(quiet(tmp_path / "second", **groups))
        with running(build(settings)) as second:
            yield [first, LiveGateway(second, first.secrets, None)]


def push_in_turns(servers: list[LiveGateway], layout: Layout, tag: str, digest: str) -> None:
    """Push what a layout holds, each request but those of one upload to the next server."""
    blobs = {f"sha256:{file.name}": file.read_bytes() for file in layout.blobs.iterdir()}
    turns = itertools.cycle(servers)
    for name in blobs.keys() - {digest}:
        with next(turns).client("admin") as client:
            where = client.post("/v2/team/app/blobs/uploads/").headers["location"]
            client.put(where, params={"digest": name}, content=blobs[name]).raise_for_status()
    with next(turns).client("admin") as client:
        headers = {"Content-Type": ACCEPT["Accept"]}
        client.put(f"/v2/team/app/manifests/{tag}", content=blobs[digest], headers=headers).raise_for_status()


def pull(server: LiveGateway, tag: str) -> httpx.Response:
    """As who may only pull."""
    with server.client("reader") as client:
        return client.get(f"/v2/team/app/manifests/{tag}", headers=ACCEPT)


def opened(server: LiveGateway) -> int:
    """How many layers a server has inspected."""
    gate = server.registry.app.services.gate
    assert isinstance(gate, PolicyGate)
    return gate.inspector.workers.counters.layers_opened


def test_each_layer_is_inspected_by_one_server(servers: list[LiveGateway], tmp_path: Path) -> None:
    """A refused image is refused by both, with the same words, a cleared one is handed out by both."""
    layout = Layout(tmp_path / "good")
    push_in_turns(servers, layout, "good", layout.add("good", cleared_image()))
    layout = Layout(tmp_path / "bad")
    push_in_turns(servers, layout, "bad", layout.add("bad", refused_image()))
    assert [pull(each, "good").status_code for each in servers] == [200, 200]
    refusals = [pull(each, "bad") for each in servers]
    assert [each.status_code for each in refusals] == [403, 403]
    assert refusals[0].json() == refusals[1].json()
    assert sum(opened(each) for each in servers) == len(cleared_image().layers)


def push_whole(server: LiveGateway, layout: Layout, digest: str) -> int:
    """Push all that a layout holds, as one of many who begin at once; the status of the manifest."""
    blobs = {f"sha256:{file.name}": file.read_bytes() for file in layout.blobs.iterdir()}
    with server.client("admin") as client:
        for name in blobs.keys() - {digest}:
            where = client.post("/v2/team/many/blobs/uploads/").headers["location"]
            client.put(where, params={"digest": name}, content=blobs[name]).raise_for_status()
        headers = {"Content-Type": ACCEPT["Accept"]}
        return client.put("/v2/team/many/manifests/v1", content=blobs[digest], headers=headers).status_code


def test_fifty_pushes_of_one_image_at_once_inspect_it_once(servers: list[LiveGateway], tmp_path: Path) -> None:
    """Half of them at each server. Larger layers, which are read as they arrive, are read for each upload."""
    layout = Layout(tmp_path / "many")
    digest = layout.add("v1", cleared_image("many"))
    at = [servers[number % 2] for number in range(PUSHES)]
    with ThreadPoolExecutor(PUSHES) as pool:
        assert set(pool.map(lambda server: push_whole(server, layout, digest), at)) == {201}
    assert sum(opened(each) for each in servers) == len(cleared_image().layers)


def test_what_is_decided_at_one_server_counts_at_both(servers: list[LiveGateway], tmp_path: Path) -> None:
    """An exemption, by the administration API, and its end."""
    servers[0].push(tmp_path / "bad", "team/app:bad", refused_image())
    assert pull(servers[1], "bad").status_code == 403
    made = {"repositories": "team/*", "rule": "python-version", "owner": "o", "reason": "r", "until": "2099-01-01"}
    with servers[0].client("admin") as client:
        exemption = client.post("/admin/v1/exemptions", json=made).json()["id"]
    wait_until(lambda: pull(servers[1], "bad").status_code == 200)
    with servers[1].client("admin") as client:
        client.delete(f"/admin/v1/exemptions/{exemption}").raise_for_status()
    wait_until(lambda: pull(servers[0], "bad").status_code == 403)


def test_a_user_who_may_not_make_schemas_is_told(postgres: PostgresServer, tmp_path: Path) -> None:
    """At the start, with what to do."""
    database = postgres.new_database()
    with database.connect(autocommit=True) as connection:
        connection.execute("CREATE ROLE narrow LOGIN")
        connection.execute("GRANT CREATE ON SCHEMA public TO narrow")
    url = database.url.replace("basegate@", "narrow@")
    groups = {"storage": moto().settings(tmp_path), "metadata": postgres.settings(url=url)}
    with pytest.raises(ResultsUnusable, match="GRANT CREATE ON DATABASE"):
        build(Settings.model_validate(quiet(tmp_path / "data", **groups)))
