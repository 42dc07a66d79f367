"""Changes of the data plane: locks, untag, deletes; and that `/v2/` heeds them."""

import httpx
import pytest

from tests.policy.live import LiveGateway

LOCKS = {"deleteEnabled": False, "writeEnabled": False, "readEnabled": False, "listEnabled": False}


def refused(answer: httpx.Response) -> bool:
    """Whether a lock has refused it, in the words of Azure."""
    return (answer.status_code, answer.json()["errors"][0]["code"]) == (405, "REGISTRY_DISALLOWED_OPERATION")


def digest_of(client: httpx.Client, name: str, tag: str) -> str:
    """What a tag points at."""
    return str(client.get(f"/acr/v1/{name}/_tags/{tag}").json()["tag"]["digest"])


@pytest.mark.parametrize("word", LOCKS)
@pytest.mark.parametrize("path", ["", "/_tags/v1", "/_manifests/{digest}"])
def test_a_patch_changes_what_it_names(lab: LiveGateway, name: str, path: str, word: str) -> None:
    """The answer is that of a GET; everything else stays as it was."""
    with lab.client("admin") as client:
        place = f"/acr/v1/{name}{path.format(digest=digest_of(client, name, 'v1'))}"
        before = client.get(place).json()
        changed = client.patch(place, json={word: False}).json()
        assert client.get(place).json() == changed
    told, was = ((each.get("tag") or each.get("manifest") or each) for each in (changed, before))
    assert told["changeableAttributes"] == was["changeableAttributes"] | {word: False}
    assert told["lastUpdateTime"] > was["lastUpdateTime"]
    assert told["createdTime"] == was["createdTime"]


@pytest.mark.parametrize("path", ["", "/_tags/v1", "/_manifests/{digest}"])
@pytest.mark.parametrize("word", ["deleteEnabled", "writeEnabled"])
def test_what_is_locked_cannot_be_deleted_over_v2(lab: LiveGateway, name: str, path: str, word: str) -> None:
    """By digest, whatever of it is locked; unlocked, it goes."""
    with lab.client("admin") as client:
        digest = digest_of(client, name, "v1")
        place = f"/acr/v1/{name}{path.format(digest=digest)}"
        client.patch(place, json={word: False})
        assert refused(client.delete(f"/v2/{name}/manifests/{digest}"))
        client.patch(place, json={word: True})
        assert client.delete(f"/v2/{name}/manifests/{digest}").status_code == 202


@pytest.mark.parametrize("word", ["deleteEnabled", "writeEnabled"])
def test_a_locked_tag_cannot_be_deleted(lab: LiveGateway, name: str, word: str) -> None:
    """Neither over `/v2/` nor over `/acr/v1/`; nor can its repository."""
    with lab.client("admin") as client:
        client.patch(f"/acr/v1/{name}/_tags/v1", json={word: False})
        for path in (f"/v2/{name}/manifests/v1", f"/acr/v1/{name}/_tags/v1", f"/acr/v1/{name}"):
            assert refused(client.delete(path))


def test_a_tag_that_cannot_be_written_does_not_move(lab: LiveGateway, name: str) -> None:
    """A push of another manifest is refused; that of the same one is not."""
    with lab.client("admin") as client:
        client.patch(f"/acr/v1/{name}/_tags/v1", json={"writeEnabled": False})
        for tag, status in (("v1", 201), ("v2", 405)):
            raw = client.get(f"/v2/{name}/manifests/{tag}")
            headers = {"Content-Type": raw.headers["Content-Type"]}
            answer = client.put(f"/v2/{name}/manifests/v1", content=raw.content, headers=headers)
            assert answer.status_code == status


@pytest.mark.parametrize("caller", ["admin", "reader"])
def test_what_cannot_be_read_is_not_pulled(lab: LiveGateway, name: str, caller: str) -> None:
    """At once, also where the answer was remembered; by digest a locked tag does not matter."""
    with lab.client("admin") as client, lab.client(caller) as puller:
        digest = digest_of(client, name, "v1")
        for _ in range(3):
            assert puller.get(f"/v2/{name}/manifests/v1").status_code == 200
        client.patch(f"/acr/v1/{name}/_tags/v1", json={"readEnabled": False})
        assert refused(puller.get(f"/v2/{name}/manifests/v1"))
        assert puller.get(f"/v2/{name}/manifests/{digest}").status_code == 200
        client.patch(f"/acr/v1/{name}", json={"readEnabled": False})
        assert refused(puller.get(f"/v2/{name}/manifests/{digest}"))


def test_what_cannot_be_listed_is_in_no_list(lab: LiveGateway, name: str) -> None:
    """A tag and a repository; both can still be asked for."""
    with lab.client("admin") as client:
        client.patch(f"/acr/v1/{name}/_tags/v1", json={"listEnabled": False})
        assert client.get(f"/v2/{name}/tags/list").json()["tags"] == ["v2"]
        assert [each["name"] for each in client.get(f"/acr/v1/{name}/_tags").json()["tags"]] == ["v2"]
        client.patch(f"/acr/v1/{name}", json={"listEnabled": False})
        for path in ("/v2/_catalog", "/acr/v1/_catalog"):
            assert name not in client.get(path).json()["repositories"]
        assert client.get(f"/acr/v1/{name}/_tags/v1").status_code == 200


def test_untag_leaves_the_manifest(lab: LiveGateway, name: str) -> None:
    """202; the tag is gone, also for who asks again."""
    with lab.client("admin") as client:
        digest = digest_of(client, name, "v1")
        assert client.delete(f"/acr/v1/{name}/_tags/v1").status_code == 202
        assert client.delete(f"/acr/v1/{name}/_tags/v1").status_code == 404
        assert client.get(f"/v2/{name}/manifests/{digest}").status_code == 200


def test_a_repository_goes_with_all_that_is_in_it(lab: LiveGateway, name: str) -> None:
    """202, with what that was."""
    with lab.client("admin") as client:
        digests = [digest_of(client, name, tag) for tag in ("v1", "v2")]
        answer = client.delete(f"/acr/v1/{name}")
        assert answer.status_code == 202
        assert answer.json() == {"manifestsDeleted": sorted(digests), "tagsDeleted": ["v1", "v2"]}
        assert client.delete(f"/acr/v1/{name}").status_code == 404


BODIES = [b"", b"[]", b"x", b"null", b'{"deleteEnabled": 1}', b'{"deleteEnabled": "false"}', b'{"deleteEnable": false}']
BODIES += [b'{"deleteEnabled": false, "deleteEnabled": true}', b'{"quarantineState": "Passed"}']


@pytest.mark.parametrize("body", BODIES)
def test_what_is_no_change_is_refused(lab: LiveGateway, name: str, body: bytes) -> None:
    """And nothing is changed."""
    with lab.client("admin") as client:
        assert client.patch(f"/acr/v1/{name}/_tags/v1", content=body).status_code == 400
        attributes = client.get(f"/acr/v1/{name}/_tags/v1").json()["tag"]["changeableAttributes"]
    assert set(attributes.values()) == {True}


def test_a_body_too_long_is_refused(lab: LiveGateway, name: str) -> None:
    """Before it is read."""
    with lab.client("admin") as client:
        assert client.patch(f"/acr/v1/{name}", content=b" " * 20_000).status_code == 413


@pytest.mark.parametrize("body", [b"{}", b'{"deleteEnabled": null}'])
def test_an_empty_change_changes_nothing(lab: LiveGateway, name: str, body: bytes) -> None:
    """Not even when it was changed last."""
    with lab.client("admin") as client:
        before = client.get(f"/acr/v1/{name}").json()
        assert client.patch(f"/acr/v1/{name}", content=body).json() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", ""), ("PATCH", "/_tags/v1"), ("DELETE", ""), ("DELETE", "/_tags/v1")],
)
def test_who_only_reads_changes_nothing(lab: LiveGateway, name: str, method: str, path: str) -> None:
    """403 for a secret."""
    with lab.client("reader") as client:
        assert client.request(method, f"/acr/v1/{name}{path}", json={"readEnabled": False}).status_code == 403
