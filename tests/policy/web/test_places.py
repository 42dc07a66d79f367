"""Repositories and images: what their pages show, to whom, and the same as JSON."""

import httpx
import pytest

from registry.oci.digest import Digest
from tests.policy.live import LiveGateway
from tests.policy.web.conftest import SignedIn

PAGES = ("/", "/?q=multi", "/r/team/app", "/r/team/app:good", "/r/team/app:bad", "/r/team/multi:v1")


def as_json(client: httpx.Client, path: str) -> dict[str, object]:
    """The document of a page."""
    before, mark, query = path.partition("?")
    where = "/index.json" if before == "/" else f"{before}.json"
    answer = client.get(f"{where}{mark}{query}")
    assert answer.headers["content-type"] == "application/json"
    document: dict[str, object] = answer.json()
    return document


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("name", ["admin", "reader"])
def test_every_page_is_there_as_html_and_as_json(signed_in: SignedIn, path: str, name: str) -> None:
    """The address of the JSON stands on the page."""
    client = signed_in(name)
    page = client.get(path)
    assert page.status_code == 200
    assert "This page as JSON" in page.text
    assert as_json(client, path)


def test_the_catalog_shows_the_newest_tag_with_its_verdict(signed_in: SignedIn) -> None:
    """Of each repository that the caller may pull from."""
    document = signed_in("reader").get("/index.json").json()
    shown = {
        row["name"]: (row["newest"]["tag"], row["newest"]["verdict"], row["tags"]) for row in document["repositories"]
    }
    assert shown == {"team/app": ("bad", "refused", 2), "team/multi": ("v1", "cleared", 1)}


def test_the_catalog_shows_nobody_elses_repositories(signed_in: SignedIn) -> None:
    """Nor counts, nor whether a name exists, nor images by digest."""
    client = signed_in("outsider")
    assert client.get("/index.json").json()["repositories"] == []
    assert "team" not in client.get("/?q=app").text
    pages = [
        client.get(path)
        for path in ("/r/team/app", "/r/team/app:good", "/r/team/none", "/r/team/app@" + Digest.of(b""))
    ]
    assert {page.status_code for page in pages} == {403}


def test_a_digest_is_searched_for_by_its_beginning(live: LiveGateway, signed_in: SignedIn) -> None:
    """Among what the caller may see."""
    digest = signed_in("reader").get("/r/team/app:good.json").json()["digest"]
    found = signed_in("reader").get("/index.json", params={"q": digest[7:19]}).json()["images"]
    assert ("team/app", digest, "cleared") in {(row["repository"], row["digest"], row["verdict"]) for row in found}
    assert {row["digest"] for row in found} == {digest}
    assert signed_in("outsider").get("/index.json", params={"q": digest[7:19]}).json()["images"] == []


def test_a_search_for_a_part_of_a_name(signed_in: SignedIn) -> None:
    """Finds names that hold it, in any case of letters."""
    found = signed_in("reader").get("/index.json", params={"q": "MULT"}).json()["repositories"]
    assert [row["name"] for row in found] == ["team/multi"]


def test_a_refused_image_shows_what_failed_first_with_its_fix(signed_in: SignedIn) -> None:
    """And leads to the layer that it rests on."""
    page = signed_in("admin").get("/r/team/app:bad")
    findings = signed_in("admin").get("/r/team/app:bad.json").json()["findings"]
    assert [finding["result"] for finding in findings] == ["fail", "pass", "pass"]
    assert "<strong>Refused:</strong> Python 3.7.1" in page.text
    assert "RUN /opt/miniconda/bin/conda install -y python=3.6" in page.text
    assert 'href="#layer-1"' in page.text
    assert 'id="layer-1"' in page.text


def test_content_of_a_refused_image_is_withheld_on_the_page_too(signed_in: SignedIn) -> None:
    """Its verdict with the evidence is told to who may pull from the repository, its layers are not."""
    seen, withheld = (signed_in(name).get("/r/team/app:bad.json").json() for name in ("admin", "reader"))
    assert len(seen["layers"]) == 2
    assert (withheld["layers"], withheld["referrers"], withheld["configuration"]["settings"]) == ([], [], [])
    assert "Python 3.7.1" in withheld["withheld"]
    assert withheld["findings"] == seen["findings"]


def test_an_index_shows_its_platforms(signed_in: SignedIn) -> None:
    """Each with its verdict."""
    children = signed_in("reader").get("/r/team/multi:v1.json").json()["children"]
    assert [(child["platform"], child["verdict"]) for child in children] == [
        ("linux/amd64", "cleared"),
        ("linux/arm64", "cleared"),
    ]


def test_commands_name_exactly_this_image(live: LiveGateway, signed_in: SignedIn) -> None:
    """By its tag and by its digest, over plain HTTP with what each client needs for that."""
    client = signed_in("reader")
    digest = client.get("/r/team/app:good.json").json()["digest"]
    page = client.get("/r/team/app:good").text.replace("&#34;", '"')
    image = f"{live.host}/team/app"
    assert f"docker pull {image}:good<" in page
    assert f"docker pull {image}@{digest}<" in page
    assert f"podman pull --tls-verify=false {image}:good<" in page
    assert f'base_image = "{image}:good"<' in page


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/r/team/none", 404, "NAME_UNKNOWN"),
        ("/r/team/app:none", 404, "MANIFEST_UNKNOWN"),
        ("/r/Team", 400, "NAME_INVALID"),
        ("/r/team/app:-", 400, "MANIFEST_INVALID"),
        ("/r/team/app@sha256:0", 400, "DIGEST_INVALID"),
    ],
)
def test_what_is_not_there_is_a_page_too(signed_in: SignedIn, path: str, status: int, code: str) -> None:
    """With code and request id; as JSON in the form of the specification."""
    client = signed_in("reader")
    page, document = client.get(path), client.get(f"{path}.json")
    assert (page.status_code, document.status_code) == (status, status)
    assert f"{status} {code}" in page.text
    assert page.headers["x-request-id"] in page.text
    assert document.json()["errors"][0]["code"] == code


def test_a_program_may_send_its_secret_with_each_request(live: LiveGateway) -> None:
    """Without a session."""
    with live.client("reader") as client:
        assert client.get("/r/team/app.json").json()["tags"][0]["tag"] == "bad"
