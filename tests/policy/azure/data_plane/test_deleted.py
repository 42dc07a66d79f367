"""`/acr/v1/_deleted/`: lists, and restore, as `az` asks for them."""

import httpx
import pytest

from tests.policy.live import LiveGateway

DELETED = "/acr/v1/_deleted"


def deleted(client: httpx.Client, name: str) -> str:
    """The digest of `v1`, which is deleted with its tag."""
    digest = client.get(f"/acr/v1/{name}/_tags/v1").json()["tag"]["digest"]
    assert client.delete(f"/v2/{name}/manifests/{digest}").status_code == 202
    return str(digest)


def test_what_was_deleted_is_listed(lab: LiveGateway, name: str) -> None:
    """With the members that `az acr … list-deleted` prints."""
    with lab.client("admin") as client:
        digest = deleted(client, name)
        assert name in client.get(f"{DELETED}/_catalog?n=100").json()["repositories"]
        manifests = client.get(f"{DELETED}/{name}/_manifests?n=100").json()
        tags = client.get(f"{DELETED}/{name.replace('/', '%2F')}/_tags?n=100").json()["tags"]
    assert (manifests["registry"], manifests["imageName"]) == (lab.host, name)
    assert [(each["digest"], each["tags"]) for each in manifests["manifests"]] == [(digest, ["v1"])]
    assert [(each["tag"], each["digest"]) for each in tags] == [("v1", digest)]
    assert manifests["manifests"][0]["deletedAt"] == tags[0]["deletedAt"]


def test_a_manifest_is_restored(lab: LiveGateway, name: str) -> None:
    """With its tag; then nothing of it is deleted."""
    with lab.client("admin") as client:
        digest = deleted(client, name)
        answer = client.post(f"{DELETED}/{name}/_manifests/{digest}?force=False", json={"tag": "v1"})
        assert (answer.status_code, answer.json()["manifest"]) == (200, {"digest": digest, "tags": ["v1"]})
        assert client.get(f"/acr/v1/{name}/_tags/v1").json()["tag"]["digest"] == digest
        assert client.get(f"{DELETED}/{name}/_manifests").json()["manifests"] == []


@pytest.mark.parametrize(("force", "status"), [("False", 405), ("True", 200)])
def test_a_tag_that_moved_is_moved_back_by_force(lab: LiveGateway, name: str, force: str, status: int) -> None:
    """Only."""
    with lab.client("admin") as client:
        digest = deleted(client, name)
        path = f"{DELETED}/{name}/_manifests/{digest}"
        assert client.post(path, params={"force": force}, json={"tag": "v2"}).status_code == status


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 200), (b"{}", 200), (b"[]", 400), (b'{"tag": 1}', 400), (b'{"tag": "-"}', 400)]
)
def test_the_body_names_a_tag_or_none(lab: LiveGateway, name: str, body: bytes, status: int) -> None:
    """And nothing else."""
    with lab.client("admin") as client:
        digest = deleted(client, name)
        assert client.post(f"{DELETED}/{name}/_manifests/{digest}", content=body).status_code == status


@pytest.mark.parametrize("path", ["_catalog", "team/app/_manifests", "team/app/_tags"])
def test_who_only_pulls_sees_nothing_of_it(lab: LiveGateway, path: str) -> None:
    """Nor by a token."""
    with lab.client("reader") as client:
        assert client.get(f"{DELETED}/{path}").status_code == 403
        scope = "registry:deleted_catalog:* repository:team/app:deleted_read,deleted_restore"
        token = client.get("/oauth2/token", params={"scope": scope}).json()
        assert token["scope"] == ""
        headers = {"Authorization": f"Bearer {token['token']}"}
    with lab.registry.client() as bare:
        assert bare.get(f"{DELETED}/{path}", headers=headers).status_code == 401


def test_tokens_of_the_scopes_that_az_asks_for(lab: LiveGateway, name: str) -> None:
    """Are enough, and each for its own."""
    scopes = ("registry:deleted_catalog:*", f"repository:{name}:deleted_read")
    with lab.client("admin") as client, lab.registry.client() as bare:
        for scope, path in zip(scopes, ("_catalog", f"{name}/_tags"), strict=True):
            token = client.get("/oauth2/token", params={"scope": scope}).json()["token"]
            found = [
                bare.get(f"{DELETED}/{each}", headers={"Authorization": f"Bearer {token}"})
                for each in (path, "x/_tags")
            ]
            assert [each.status_code for each in found] == [200, 401]


def test_pages_have_links(lab: LiveGateway, name: str) -> None:
    """Which lead on."""
    with lab.client("admin") as client:
        client.delete(f"/acr/v1/{name}").raise_for_status()
        for kind in ("_manifests", "_tags"):
            first = client.get(f"{DELETED}/{name}/{kind}", params={"n": 1})
            second = client.get(first.links["next"]["url"])
            assert len(first.json()[kind[1:]]) == len(second.json()[kind[1:]]) == 1
            assert "Link" not in second.headers
        assert client.get(f"{DELETED}/{name}/_tags?last=x").status_code == 400
