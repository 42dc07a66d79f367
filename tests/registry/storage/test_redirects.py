"""Large blobs from the store itself: only where the settings say so, and behind the gate."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.clients.trees import cleared_image, incompressible, refused_image
from tests.policy.live import LiveGateway, live_gateway
from tests.registry.storage.object_servers import moto
from tests.registry.storage.toxic_store import ToxicStore, toxic

PATH = "/v2/team/app"


@pytest.fixture(scope="module")
def store() -> Iterator[ToxicStore]:
    """What counts the requests."""
    with toxic(moto().endpoint) as store:
        yield store


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, store: ToxicStore) -> Iterator[LiveGateway]:
    """A gateway with a cleared and a refused image, each with a layer of more than 1 MiB."""
    folder = tmp_path_factory.mktemp("redirects")
    storage = moto().settings(
        folder, endpoint=store.endpoint, redirect=True, redirect_endpoint="http://store.test:9000"
    )
    audit = {"enabled": True}
    with live_gateway(folder / "data", storage=storage, audit=audit) as live:
        live.push(folder / "good", "team/app:good", cleared_image(large=True))
        refused = refused_image()
        live.push(folder / "bad", "team/app:bad", replace(refused, layers=(*refused.layers, incompressible(2 << 20))))
        yield live


def layers(live: LiveGateway, tag: str) -> dict[int, str]:
    """The paths of the layers by their sizes, as the owner is told."""
    with live.client("admin") as client:
        manifest = client.get(f"{PATH}/manifests/{tag}").raise_for_status().json()
    return {each["size"]: f"{PATH}/blobs/{each['digest']}" for each in manifest["layers"]}


def get(live: LiveGateway, path: str, name: str = "reader", method: str = "GET", **headers: str) -> httpx.Response:
    """One answer, not followed."""
    with live.client(name) as client:
        return client.request(method, path, headers=headers)


def largest(live: LiveGateway, tag: str) -> str:
    """The path of the largest layer."""
    found = layers(live, tag)
    return found[max(found)]


def test_a_large_blob_is_to_be_had_from_the_store(live: LiveGateway, store: ToxicStore) -> None:
    """307 to a name that clients know, for a minute; nothing is asked of the store for it."""
    path = largest(live, "good")
    store.requests.clear()
    answer = get(live, path)
    where = urlsplit(answer.headers["location"])
    assert (answer.status_code, where.netloc, answer.headers["cache-control"]) == (307, "store.test:9000", "no-store")
    assert parse_qs(where.query)["X-Amz-Expires"] == ["60"]
    assert store.bearing == []


def test_the_store_gives_the_very_bytes(live: LiveGateway) -> None:
    """Whole, and in parts."""
    path = largest(live, "good")
    inside = get(live, path).headers["location"].replace("http://store.test:9000", moto().endpoint)
    assert len(httpx.get(inside).content) == max(layers(live, "good"))
    assert httpx.get(inside, headers={"Range": "bytes=5-9"}).status_code == 206


def test_a_refused_image_has_no_address(live: LiveGateway) -> None:
    """The gate is asked first."""
    answer = get(live, largest(live, "bad"))
    assert (answer.status_code, "location" in answer.headers) == (403, False)


@pytest.mark.parametrize("name", ["outsider", "nobody"])
def test_who_may_not_pull_has_no_address(live: LiveGateway, name: str) -> None:
    """A principal of another repository, and somebody unknown."""
    path = largest(live, "good")
    answer = get(live, path, name) if name in live.secrets else httpx.get(f"{live.registry.url}{path}")
    assert answer.status_code in {401, 403, 404}
    assert "location" not in answer.headers


def test_a_head_and_small_blobs_are_answered_here(live: LiveGateway) -> None:
    """With their sizes, as ever."""
    found = layers(live, "good")
    head = get(live, found[max(found)], method="HEAD")
    assert (head.status_code, head.headers["content-length"]) == (200, str(max(found)))
    assert get(live, found[min(found)]).status_code == 200


def test_what_is_known_is_not_fetched(live: LiveGateway) -> None:
    """304 comes from here."""
    path = largest(live, "good")
    assert get(live, path, **{"If-None-Match": f'"{path.rpartition("/")[2]}"'}).status_code == 304


def test_no_signature_is_written_down(live: LiveGateway, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither in the log nor in the audit log."""
    path = largest(live, "good")
    signature = parse_qs(urlsplit(get(live, path).headers["location"]).query)["X-Amz-Signature"][0]
    written = "".join(file.read_text() for file in Path(live.registry.data).glob("audit/*") if file.is_file())
    assert "team/app" in written
    assert signature not in written + "".join(capfd.readouterr())


def test_without_the_setting_all_comes_from_here(tmp_path: Path) -> None:
    """It is off by default."""
    with live_gateway(tmp_path / "data", storage=moto().settings(tmp_path)) as live:
        live.push(tmp_path / "good", "team/app:good", cleared_image(large=True))
        assert get(live, largest(live, "good")).status_code == 200
