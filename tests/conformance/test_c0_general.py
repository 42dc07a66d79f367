"""Clause c0: names, tags, errors, HTTP in general."""

import httpx
import pytest

from registry.oci.names import NAME_MAXIMUM
from tests.repository import Repository, code_of

BAD_NAMES = ["UPPER", "a//b", "-a", "a-", "a_", "a..b", "a___b", "_a", "a/B", "a b", "a/", "ä", "a%0A", "a.-b"]
GOOD_NAMES = ["a", "a__b", "a---b", "a.b_c/d", "0/1/2/3", "x" * NAME_MAXIMUM]
VERBS = ["blobs", "manifests", "tags", "uploads", "referrers", "blobs/uploads", "tags/list", "a/manifests/b", "v2/a"]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize(("method", "rest"), [("GET", "tags/list"), ("POST", "blobs/uploads/"), ("PUT", "manifests/t")])
def test_bad_names_are_refused(client: httpx.Client, name: str, method: str, rest: str) -> None:
    """400 NAME_INVALID, whatever is asked of the name."""
    answer = client.request(method, httpx.URL(f"/v2/{name}/{rest}"))
    assert (answer.status_code, code_of(answer)) == (400, "NAME_INVALID")


def test_name_longer_than_clients_take_is_refused(client: httpx.Client) -> None:
    """At most 255 characters."""
    assert code_of(client.get(f"/v2/{'x' * (NAME_MAXIMUM + 1)}/tags/list")) == "NAME_INVALID"


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_names_are_taken(client: httpx.Client, name: str) -> None:
    """Every form that the grammar allows."""
    assert client.post(f"/v2/{name}/blobs/uploads/").status_code == 202


@pytest.mark.parametrize("verb", VERBS)
def test_names_may_hold_the_words_of_paths(repository: Repository, verb: str) -> None:
    """`blobs`, `tags` and the like as components: paths are read from the right."""
    inside = Repository(repository.client, f"{repository.name}/{verb}")
    image = inside.image("v1", inside.blob(b"layer"))
    assert inside.get("manifests/v1").content == image.raw
    assert inside.get("tags/list").json() == {"name": inside.name, "tags": ["v1"]}
    assert inside.head(f"blobs/{image.descriptor['digest']}").status_code == 404


def test_encoded_slashes_and_colons_arrive(repository: Repository) -> None:
    """Clients that encode `/` in names and `:` in digests are understood."""
    blob = repository.blob(b"encoded")
    path = f"/v2/{repository.name.replace('/', '%2F')}/blobs/{blob.digest.replace(':', '%3A')}"
    assert repository.client.get(path).content == b"encoded"


@pytest.mark.parametrize("tag", [".hidden", "-x", "a b", "a:b@c", "x" * 129, "ä"])
def test_bad_tags_cannot_be_pushed(repository: Repository, tag: str) -> None:
    """400 for a reference that is neither tag nor digest."""
    assert repository.put(tag, repository.image_document()).status_code == 400


@pytest.mark.parametrize("tag", ["_", "A-b_c.d", "x" * 128, "latest", "0"])
def test_good_tags_can_be_pushed(repository: Repository, tag: str) -> None:
    """Every form that the grammar allows."""
    assert repository.get(f"manifests/{tag}").status_code == 404
    repository.image(tag)
    assert repository.get(f"manifests/{tag}").status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1/", "/v2/x", "/v2/a/b/c", "/v2/tags/list", "/v2/a/tags", "/favicon.ico"])
def test_paths_that_are_none_get_the_error_form(client: httpx.Client, path: str) -> None:
    """404 with a JSON body, like every other refusal."""
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
    assert code_of(answer) == "UNSUPPORTED"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v2/", {"GET", "HEAD"}),
        ("PUT", "/v2/_catalog", {"GET", "HEAD"}),
        ("POST", "/v2/a/manifests/t", {"GET", "HEAD", "PUT", "DELETE"}),
        ("PATCH", "/v2/a/blobs/sha256:0", {"GET", "HEAD", "DELETE"}),
        ("POST", "/v2/a/blobs/uploads/x", {"GET", "HEAD", "PATCH", "PUT", "DELETE"}),
        ("DELETE", "/v2/a/tags/list", {"GET", "HEAD"}),
        ("OPTIONS", "/v2/a/referrers/x", {"GET", "HEAD"}),
    ],
)
def test_other_methods_are_told_which_there_are(
    client: httpx.Client, method: str, path: str, allowed: set[str]
) -> None:
    """405 with every method of the path in Allow."""
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert {word.strip() for word in answer.headers["allow"].split(",")} == allowed


def test_every_answer_names_the_api_and_the_request(client: httpx.Client) -> None:
    """Old docker looks for the API version; the request id leads to the log."""
    for path in ("/v2/", "/nowhere", "/v2/a/manifests/none"):
        headers = client.get(path).headers
        assert headers["docker-distribution-api-version"] == "registry/2.0"
        assert headers["x-request-id"] == headers["x-ms-correlation-request-id"]


def test_a_request_id_of_the_caller_is_kept(client: httpx.Client) -> None:
    """So that a request can be followed through several logs; what is no id is replaced."""
    assert client.get("/v2/", headers={"X-Request-Id": "abcd-1234"}).headers["x-request-id"] == "abcd-1234"
    assert client.get("/v2/", headers={"X-Request-Id": "a b; c"}).headers["x-request-id"] != "a b; c"


@pytest.mark.parametrize("rest", ["tags/list", "manifests/v1", "referrers/sha256:" + "0" * 64])
def test_head_has_the_headers_of_get(repository: Repository, rest: str) -> None:
    """Same status and headers, no body."""
    repository.image("v1")
    get, head = repository.get(rest), repository.head(rest)
    volatile = {"date", "x-request-id", "x-ms-correlation-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in volatile} == {
        k: v for k, v in get.headers.items() if k not in volatile
    }
    assert (head.status_code, head.content) == (get.status_code, b"")


def test_unknown_query_parameters_are_tolerated(repository: Repository) -> None:
    """containerd sends `ns=` with every request to a mirror, pushes included."""
    layer = repository.blob(b"ns")
    answer = repository.client.put(repository.open_upload(ns="docker.io"), params={"digest": layer.digest, "ns": "x"})
    assert answer.status_code == 400
    repository.image("v1", layer)
    for rest in ("manifests/v1", "tags/list", f"blobs/{layer.digest}", f"referrers/{layer.digest}"):
        assert repository.get(rest, params={"ns": "docker.io", "x": "y"}).status_code == 200
