"""azure-containerregistry against a live basegate: every method, with a credential and anonymously."""

import asyncio
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.auth.actions import Role
from registry.auth.enrolment import draft, record
from tests.clients.azure.sdk import Sdk, require_sdk, sent
from tests.clients.trees import cleared_image, refused_image
from tests.installation import Installation
from tests.policy.live import LiveGateway, live_gateway

ATTRIBUTES = {"can_delete": True, "can_read": True, "can_write": True, "can_list": True}
CONFIG = b"{}"
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.example", "size": 2, "digest": "", "annotations": {}},
    "layers": [],
}
_NUMBERS = count()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A basegate over TLS where anonymous pull is on."""
    require_sdk()
    folder = tmp_path_factory.mktemp("sdk")
    installation = Installation(folder / "ca", {})
    assert installation.run("tls", "init", "--data", str(folder / "ca")).returncode == 0
    made = folder / "ca" / "tls"
    tls: dict[str, Any] = {"tls_cert": made / "server.crt", "tls_key": made / "server.key"}
    with live_gateway(folder / "data", made / "ca.crt", auth={"anonymous_pull": True}, **tls) as live:
        yield live


def sdk_of(live: LiveGateway, name: str | None) -> Sdk:
    """The SDK as a principal, whose refresh token its credential hands out; or as nobody."""
    assert live.ca is not None
    if name is None:
        return Sdk(live.registry.url, live.ca, None)
    form = {"grant_type": "password", "username": name, "password": live.secrets[name], "access_type": "offline"}
    with live.client(name) as client:
        token = client.post("/oauth2/token", data=form | {"service": live.host}).json()["refresh_token"]
    return Sdk(live.registry.url, live.ca, token)


@pytest.fixture(scope="module")
def owner(live: LiveGateway) -> Sdk:
    """The SDK as `admin`."""
    return sdk_of(live, "admin")


@pytest.fixture(scope="module", params=["reader", None])
def reader(live: LiveGateway, request: pytest.FixtureRequest) -> Sdk:
    """The SDK as `reader`, and as nobody."""
    return sdk_of(live, request.param)


@pytest.fixture
def name(live: LiveGateway, tmp_path: Path) -> str:
    """A repository with `v1`, `v2` and `both`, of a cleared and a refused image."""
    repository = f"sdk/number{next(_NUMBERS)}"
    live.push(tmp_path / "v1", f"{repository}:v1", cleared_image())
    live.push(tmp_path / "v2", f"{repository}:v2", refused_image())
    live.push(tmp_path / "both", f"{repository}:both", cleared_image(), refused_image())
    return repository


def test_lists(reader: Sdk, name: str) -> None:
    """Repositories, tags and manifests, page by page and in order of time; slashes are `%2F` on the way."""
    repositories, tags, newest, manifests = reader.calls(
        ("list_repository_names", [], {"results_per_page": 1}),
        ("list_tag_properties", [name], {"results_per_page": 1}),
        ("list_tag_properties", [name], {"order_by": "newest tags", "results_per_page": 2}),
        ("list_manifest_properties", [name], {"order_by": "newest manifests", "results_per_page": 2}),
    )
    assert name in repositories["result"]
    assert [each["name"] for each in tags["result"]] == ["both", "v1", "v2"]
    assert [each["name"] for each in newest["result"]] == ["both", "v2", "v1"]
    assert [each["tags"] for each in manifests["result"]] == [["both"], ["v1"], ["v2"]]


def test_attributes(reader: Sdk, name: str) -> None:
    """Of a repository, a tag, and a manifest that is asked for by tag."""
    repository = reader.call("get_repository_properties", name)
    assert (repository["name"], repository["manifest_count"], repository["tag_count"]) == (name, 3, 3)
    tag = reader.call("get_tag_properties", name, "v1")
    assert tag["name"] == "v1"
    manifest = reader.call("get_manifest_properties", name, "v1")
    assert (manifest["digest"], manifest["tags"]) == (tag["digest"], ["v1"])
    assert (manifest["architecture"], manifest["operating_system"]) == ("amd64", "linux")
    for told in (repository, tag, manifest):
        assert told.items() >= ATTRIBUTES.items()
        assert told["created_on"] <= told["last_updated_on"]


def test_locks(owner: Sdk, name: str) -> None:
    """Set on a repository, a tag and a manifest; what is locked cannot be deleted until it is unlocked."""
    for kind, arguments in (("repository", [name]), ("tag", [name, "v2"]), ("manifest", [name, "v2"])):
        told = owner.call(f"update_{kind}_properties", *arguments, can_write=False, can_delete=False)
        assert told.items() >= {**ATTRIBUTES, "can_write": False, "can_delete": False}.items()
        assert owner.refused("delete_manifest", name, "v2") == ("HttpResponseError", 405)
        owner.call(f"update_{kind}_properties", *arguments, can_write=True, can_delete=True)
    owner.call("delete_tag", name, "v2")


def test_deletes(owner: Sdk, name: str) -> None:
    """They delete what they say: a tag, a manifest, a repository; what is gone is no error."""
    owner.call("delete_tag", name, "both")
    assert [each["name"] for each in owner.call("list_tag_properties", name)] == ["v1", "v2"]
    owner.call("delete_manifest", name, "v1")
    assert [each["name"] for each in owner.call("list_tag_properties", name)] == ["v2"]
    for _ in range(2):
        owner.call("delete_repository", name)
    assert name not in owner.call("list_repository_names")
    assert owner.refused("get_repository_properties", name) == ("ResourceNotFoundError", 404)


def test_who_may_only_pull_deletes_nothing(reader: Sdk, owner: Sdk, name: str) -> None:
    """And is told so: a 404 would count as success."""
    for method, arguments in (("delete_repository", [name]), ("delete_tag", [name, "v1"])):
        assert reader.refused(method, *arguments) == ("ClientAuthenticationError", 401)
    assert reader.refused("update_tag_properties", name, "v1", can_read=False) == ("ClientAuthenticationError", 401)
    assert len(owner.call("list_tag_properties", name)) == 3


def test_content(owner: Sdk) -> None:
    """A blob and a manifest go up, come down, and are deleted."""
    name = f"sdk/content{next(_NUMBERS)}"
    digest, size = owner.call("upload_blob", name, sent(CONFIG))
    manifest = json.loads(json.dumps(MANIFEST)) | {"config": MANIFEST["config"] | {"digest": digest}}  # type: ignore[operator]
    assert size == len(CONFIG)
    pushed = owner.call("set_manifest", name, manifest, tag="v1")
    assert owner.call("get_manifest", name, "v1")["manifest"] == manifest
    assert sent(CONFIG)["bytes"] == owner.call("download_blob", name, digest)
    assert owner.refused("delete_blob", name, digest)[1] == 405
    owner.call("delete_manifest", name, pushed)
    owner.call("delete_blob", name, digest)


def test_secrets_are_taken_as_tokens_are(live: LiveGateway, name: str) -> None:
    """With Basic, below `/acr/v1` too: as `az acr … --username` sends them, and `curl -u`."""
    made = draft("scripted", Role.ACR_DELETE)
    asyncio.run(live.registry.app.services.stores.metadata.write(record, made))
    with live.client("reader") as client:
        basic = httpx.BasicAuth(made.row.name, made.secret())
        assert client.delete(f"/acr/v1/{name}/_tags/v1", auth=basic).status_code == 202
