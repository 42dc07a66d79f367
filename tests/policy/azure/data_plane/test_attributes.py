"""Attributes of the data plane, one by one, by every spelling of a path."""

import re

import pytest

from tests.policy.live import LiveGateway

NAME = "team/app"
EVERYTHING = {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")


def digest_of(lab: LiveGateway, tag: str) -> str:
    """What a tag points at."""
    with lab.client("reader") as client:
        return str(client.get(f"/acr/v1/{NAME}/_tags/{tag}").json()["tag"]["digest"])


def test_a_repository(lab: LiveGateway) -> None:
    """How much is in it, and since when."""
    with lab.client("reader") as client:
        told = client.get(f"/acr/v1/{NAME}").json()
    assert TIME.fullmatch(told.pop("createdTime"))
    assert TIME.fullmatch(told.pop("lastUpdateTime"))
    assert told == {
        "registry": lab.host,
        "imageName": NAME,
        "manifestCount": 3,
        "tagCount": 3,
        "changeableAttributes": EVERYTHING,
    }


def test_a_tag(lab: LiveGateway) -> None:
    """Within the envelope that tells where it is."""
    with lab.client("reader") as client:
        told = client.get(f"/acr/v1/{NAME}/_tags/good").json()
    tag = told.pop("tag")
    assert told == {"registry": lab.host, "imageName": NAME}
    assert TIME.fullmatch(tag["createdTime"])
    assert tag["createdTime"] <= tag["lastUpdateTime"]
    assert (tag["name"], tag["signed"], tag["changeableAttributes"]) == ("good", False, EVERYTHING)


def test_an_image(lab: LiveGateway) -> None:
    """Its size with all layers, its types, what it runs on, its tags; the bytes are those of `/v2/`."""
    digest = digest_of(lab, "good")
    with lab.client("admin") as client:
        told = client.get(f"/acr/v1/{NAME}/_manifests/{digest}").json()["manifest"]
        manifest = client.get(f"/v2/{NAME}/manifests/{digest}")
    parts = [manifest.json()["config"], *manifest.json()["layers"]]
    assert told["imageSize"] == len(manifest.content) + sum(part["size"] for part in parts)
    assert (told["mediaType"], told["configMediaType"]) == (manifest.json()["mediaType"], parts[0]["mediaType"])
    assert (told["architecture"], told["os"], told["tags"]) == ("amd64", "linux", ["good"])
    assert told["changeableAttributes"].items() >= EVERYTHING.items()


def test_an_index(lab: LiveGateway) -> None:
    """It runs on nothing itself; shown alone, it names its manifests and what they run on."""
    good, bad, both = (digest_of(lab, tag) for tag in ("good", "bad", "both"))
    with lab.client("reader") as client:
        told = client.get(f"/acr/v1/{NAME}/_manifests/{both}").json()["manifest"]
        listed = client.get(f"/acr/v1/{NAME}/_manifests").json()["manifests"]
    assert told["references"] == [{"digest": each, "architecture": "amd64", "os": "linux"} for each in (good, bad)]
    assert not told.keys() & {"architecture", "os", "configMediaType"}
    assert not any("references" in each for each in listed)


@pytest.mark.parametrize("path", ["team%2Fapp", "team%2fapp/_tags/good", "team%2Fapp/_manifests/{digest}"])
def test_percent_encoded_paths_are_the_same(lab: LiveGateway, path: str) -> None:
    """As Microsoft's SDK writes them, with a query that says which API it speaks."""
    digest = digest_of(lab, "good")
    with lab.client("reader") as client:
        plain = client.get(f"/acr/v1/{path.replace('%2F', '/').replace('%2f', '/').format(digest=digest)}")
        encoded = client.get(f"/acr/v1/{path.format(digest=digest.replace(':', '%3A'))}?api-version=2021-07-01")
    assert plain.status_code == encoded.status_code == 200
    assert plain.json() == encoded.json()


@pytest.mark.parametrize(
    ("path", "status"),
    [("_tags/none", 404), ("_tags/-", 404), ("_manifests/sha256:" + "0" * 64, 404), ("_manifests/good", 400)],
)
def test_what_is_not_there(lab: LiveGateway, path: str, status: int) -> None:
    """A tag, what cannot be a tag, a manifest; and what is no digest."""
    with lab.client("reader") as client:
        assert client.get(f"/acr/v1/{NAME}/{path}").status_code == status


@pytest.mark.parametrize("path", ["_catalog", NAME, f"{NAME}/_tags", f"{NAME}/_manifests", f"{NAME}/_tags/good"])
def test_a_head_has_no_body(lab: LiveGateway, path: str) -> None:
    """And the length of the answer to a GET."""
    with lab.client("reader") as client:
        head, got = client.head(f"/acr/v1/{path}"), client.get(f"/acr/v1/{path}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
