"""Two nodes over one PostgreSQL database and one object store: what one acknowledges the other serves."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from policy.results.postgres_schema import NAME as RESULTS
from registry.config.storage import StorageSettings
from registry.database.postgres import Database
from registry.oci.digest import Digest
from registry.storage.disk.store import DiskStore
from tests.clients.layouts import Layout
from tests.clients.trees import cleared_image, refused_image
from tests.policy.two_nodes import Nodes, two_nodes
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import names_in
from tests.repository import Repository, code_of
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def nodes(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """For all tests of this file."""
    with two_nodes(postgres, tmp_path_factory.mktemp("nodes")) as both:
        yield both


@pytest.fixture
def here(nodes: Nodes) -> Iterator[httpx.Client]:
    """The owner, at the first."""
    with nodes.first.client("admin") as client:
        yield client


@pytest.fixture
def there(nodes: Nodes) -> Iterator[httpx.Client]:
    """The owner, at the second."""
    with nodes.second.client("admin") as client:
        yield client


def digest_at(client: httpx.Client, path: str) -> str:
    """What a tag points at there; "" for nothing."""
    return str(client.head(path).headers.get("docker-content-digest", ""))


def test_a_push_is_served_by_the_other(here: httpx.Client, there: httpx.Client) -> None:
    """Its blobs, its manifest, its tag and its repository."""
    pushed = Repository(here, "pushed/app")
    layer = pushed.blob(b"layer" * 100_000)
    image = pushed.image("v1", layer)
    other = Repository(there, "pushed/app")
    assert other.get("manifests/v1").content == image.raw
    assert other.get(f"blobs/{layer.digest}").content == layer.raw
    assert other.get("tags/list").json()["tags"] == ["v1"]
    assert "pushed/app" in there.get("/v2/_catalog").json()["repositories"]


def test_what_the_other_has_is_not_pushed_again(here: httpx.Client, there: httpx.Client) -> None:
    """A blob is found, and mounted."""
    blob = Repository(here, "found/app").blob(b"found")
    assert Repository(there, "found/app").head(f"blobs/{blob.digest}").status_code == 200
    query = {"mount": blob.digest, "from": "found/app"}
    assert there.post("/v2/found/other/blobs/uploads/", params=query).status_code == 201


def test_a_tag_that_moves_moves_everywhere(here: httpx.Client, there: httpx.Client) -> None:
    """To and fro; each was served before, and is remembered."""
    path = "/v2/moved/app/manifests/v1"
    for number, (at, other) in enumerate(((here, there), (there, here)) * 3):
        image = Repository(at, "moved/app").image("v1", annotations={"number": str(number)})
        wait_until(lambda other=other, digest=image.digest: digest_at(other, path) == digest)  # type: ignore[misc]


def test_what_is_deleted_has_gone_everywhere(here: httpx.Client, there: httpx.Client) -> None:
    """A tag, and a manifest."""
    image = Repository(here, "deleted/app").image("v1")
    other = Repository(there, "deleted/app")
    assert other.get("manifests/v1").status_code == other.get(f"manifests/{image.digest}").status_code == 200
    Repository(here, "deleted/app").delete("manifests/v1")
    wait_until(lambda: other.get("manifests/v1").status_code == 404)
    assert other.delete(f"manifests/{image.digest}").status_code == 202
    wait_until(lambda: Repository(here, "deleted/app").get(f"manifests/{image.digest}").status_code == 404)


def test_a_revoked_principal_is_refused_everywhere(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a command on the folder of one node; the other has it signed in."""
    settings = nodes.first.registry.app.settings.current.model_dump(mode="json", include={"storage", "metadata"})
    for group, values in settings.items():
        for name in ("url", "endpoint", "credentials"):
            if values.get(name):
                monkeypatch.setenv(f"BASEGATE_{group.upper()}__{name.upper()}", values[name])
    with nodes.second.client("outsider") as client:
        assert client.get("/v2/").status_code == 200
        words = ["principal", "disable", "outsider", "--data", str(nodes.first.registry.data)]
        assert CliRunner().invoke(basegate, words).exit_code == 0
        wait_until(lambda: client.get("/v2/").status_code == 401)


def test_a_token_of_one_is_good_at_the_other(nodes: Nodes, here: httpx.Client) -> None:
    """Where both have the same key."""
    Repository(here, "token/app").image("v1")
    query = {"service": nodes.first.host, "scope": "repository:token/app:pull"}
    token = here.get("/oauth2/token", params=query).json()["access_token"]
    with nodes.second.registry.client(headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get("/v2/token/app/manifests/v1").status_code == 200


def test_a_verdict_of_one_is_the_others(nodes: Nodes, tmp_path: Path) -> None:
    """It hands out what fits, and withholds what does not."""
    nodes.first.push(tmp_path / "good", "judged/app:good", cleared_image())
    nodes.first.push(tmp_path / "bad", "judged/app:bad", refused_image())
    with nodes.second.client("reader") as reader:
        good, bad = (reader.get(f"/v2/judged/app/manifests/{tag}") for tag in ("good", "bad"))
    assert (good.status_code, bad.status_code, code_of(bad)) == (200, 403, "DENIED")
    assert nodes.second.check("reader", reference=f"{nodes.second.host}/judged/app:bad").json()["allowed"] is False


def test_what_the_other_cannot_look_into_is_withheld(nodes: Nodes, tmp_path: Path) -> None:
    """Where there is no verdict any more, none is taken for granted."""
    storage = StorageSettings.model_validate(nodes.first.registry.app.settings.current.storage.model_dump())
    before = set(names_in(storage))
    nodes.first.push(tmp_path / "lost", "lost/app:v1", cleared_image(large=True))
    for blob in _digests(set(names_in(storage)) - before):
        nodes.first.registry.app.services.stores.storage.delete(blob)
    nodes.first.settle()
    with Database(nodes.first.registry.app.settings.current.metadata.url).connect(autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {RESULTS} CASCADE")
    with nodes.second.client("reader") as reader:
        assert reader.get("/v2/lost/app/manifests/v1").status_code in {403, 404, 503}


def _digests(names: set[str]) -> set[Digest]:
    """Of objects."""
    return {Digest(":".join(name.split("/")[1:3])) for name in names if name.startswith("blobs/")}


def test_an_upload_goes_on_at_the_other(nodes: Nodes, tmp_path: Path) -> None:
    """What came to both is looked into as what came to one: each PATCH goes to the next, and there is a verdict."""
    layout = Layout(tmp_path / "image")
    digest = layout.add("v1", cleared_image("turns", large=True))
    with nodes.first.client("admin") as first, nodes.second.client("admin") as second:
        for blob in layout.blobs.iterdir():
            push_in_turn((first, second), "turns/app", blob.read_bytes())
        raw = (layout.blobs / digest.partition(":")[2]).read_bytes()
        assert Repository(second, "turns/app").put("v1", raw).status_code == 201
    checks = [node.check("reader", reference=f"{node.host}/turns/app:v1") for node in nodes]
    assert [check.json()["allowed"] for check in checks] == [True, True]


def push_in_turn(clients: tuple[httpx.Client, httpx.Client], name: str, content: bytes) -> None:
    """Push a blob in chunks, each to the next of the clients."""
    upload = Repository(clients[1], name).open_upload()
    size = len(content) // 5 + 1
    for number in range(5):
        clients[number % 2].patch(upload, content=content[number * size : (number + 1) * size]).raise_for_status()
    clients[1].put(upload, params={"digest": Digest.of(content)}).raise_for_status()


def test_blobs_are_not_files_of_a_node(nodes: Nodes) -> None:
    """What this module shows needs both to be shared."""
    assert not any(isinstance(each.registry.app.services.stores.storage, DiskStore) for each in nodes)


def test_one_of_them_does_what_is_done_for_all(nodes: Nodes) -> None:
    """Sinks, collections and retention by interval."""
    stores = [each.registry.app.services.stores.metadata for each in nodes]
    wait_until(lambda: [store.leads() for store in stores].count(True) == 1)
