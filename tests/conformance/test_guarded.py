"""The clauses that need callers with different rights: end-1, mounts, the catalog, challenges."""

import re
from collections.abc import Iterator

import httpx
import pytest

from registry.auth.actions import Role
from registry.auth.enrolment import Enrolment
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person
from tests.repository import Pushed, Repository, code_of
from tests.servers import LiveRegistry

OWNER, READER, BOUND = person(Role.OWNER), person(Role.ACR_PULL), person(Role.ACR_PUSH, "team/*")
CHALLENGE = re.compile(r'Bearer realm="[^"]+/oauth2/token",service="[^"]+"(,scope="[^"]+")?(,error="[a-z_]+")?')


@pytest.fixture(scope="module", params=["fast", "plain"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegistry]:
    """A registry where everybody signs in, on both of the server's paths."""
    data = tmp_path_factory.mktemp("guarded")
    with guarded_registry(data, {"fast": request.param == "fast"}) as live:
        yield live


def _signed_in(live: LiveRegistry, who: Enrolment) -> httpx.Client:
    return live.client(auth=(who.row.name, who.secret()))


@pytest.fixture
def owner(live: LiveRegistry) -> Iterator[httpx.Client]:
    """Somebody who may do everything."""
    with _signed_in(live, OWNER) as client:
        yield client


@pytest.fixture
def bound(live: LiveRegistry) -> Iterator[httpx.Client]:
    """Somebody who may push and pull below team/ only."""
    with _signed_in(live, BOUND) as client:
        yield client


@pytest.fixture
def secret(owner: httpx.Client) -> Pushed:
    """A blob in a repository that not everybody may read."""
    return Repository(owner, "secret/app").blob(b"not for everybody")


def _token(live: LiveRegistry, who: Enrolment, scope: str) -> httpx.Client:
    with _signed_in(live, who) as client:
        token = client.get("/oauth2/token", params={"service": "x", "scope": scope}).json()["access_token"]
    return live.client(headers={"Authorization": f"Bearer {token}"})


def test_root_asks_who_is_there(live: LiveRegistry) -> None:
    """401 with a challenge in the exact form that clients parse, and the error form."""
    with live.client() as client:
        answer = client.get("/v2/")
    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHORIZED")
    assert CHALLENGE.fullmatch(answer.headers["www-authenticate"])


@pytest.mark.parametrize(
    ("method", "rest", "scope"),
    [
        ("GET", "manifests/v1", "repository:team/app:pull"),
        ("PUT", "manifests/v1", "repository:team/app:pull,push"),
        ("DELETE", "manifests/v1", "repository:team/app:delete"),
        ("POST", "blobs/uploads/", "repository:team/app:pull,push"),
        ("GET", "tags/list", "repository:team/app:pull"),
    ],
)
def test_challenge_names_the_scope(live: LiveRegistry, method: str, rest: str, scope: str) -> None:
    """So that the client asks for the right token."""
    with live.client() as client:
        answer = client.request(method, f"/v2/team/app/{rest}")
    assert answer.status_code == 401
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


def test_too_narrow_a_token_is_told_so(live: LiveRegistry) -> None:
    """401 with insufficient_scope, not 403: the client can ask for a wider one."""
    with _token(live, BOUND, "repository:team/app:pull") as client:
        answer = client.post("/v2/team/app/blobs/uploads/")
    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"].endswith('error="insufficient_scope"')


def test_an_upload_is_looked_at_and_cancelled_with_what_it_was_begun_with(live: LiveRegistry) -> None:
    """Pull and push are enough (end-13, end-14): clients hold no more, and would leak the session otherwise."""
    with _token(live, BOUND, "repository:team/app:pull,push") as client:
        where = Repository(client, "team/app").open_upload()
        assert [client.get(where).status_code, client.delete(where).status_code] == [204, 204]
        assert code_of(client.get(where)) == "BLOB_UPLOAD_UNKNOWN"


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_a_token_that_only_pushes_is_told_what_an_upload_needs(
    live: LiveRegistry, bound: httpx.Client, method: str
) -> None:
    """Pushing needs pull and push, as in Azure's registry; the challenge names both, and the session goes on."""
    where = Repository(bound, "team/app").open_upload()
    with _token(live, BOUND, "repository:team/app:push") as client:
        challenge = client.request(method, where).headers["www-authenticate"]
    assert 'scope="repository:team/app:pull,push"' in challenge
    assert challenge.endswith('error="insufficient_scope"')
    assert bound.delete(where).status_code == 204


def test_mount_from_a_repository_that_the_caller_may_not_read(bound: httpx.Client, secret: Pushed) -> None:
    """202, as if it were not there; nothing is leaked into the target."""
    query = {"mount": secret.digest, "from": "secret/app"}
    assert bound.post("/v2/team/app/blobs/uploads/", params=query).status_code == 202
    assert bound.head(f"/v2/team/app/blobs/{secret.digest}").status_code == 404


def test_mount_from_anywhere_reads_only_what_the_caller_may(bound: httpx.Client, secret: Pushed) -> None:
    """Without `from`, repositories that the caller may not read do not count."""
    assert bound.post("/v2/team/app/blobs/uploads/", params={"mount": secret.digest}).status_code == 202


def test_mount_with_a_token_for_both(live: LiveRegistry, secret: Pushed) -> None:
    """201 when the token covers the source as well."""
    with _token(live, OWNER, "repository:team/mounted:pull,push repository:secret/app:pull") as client:
        query = {"mount": secret.digest, "from": "secret/app"}
        assert client.post("/v2/team/mounted/blobs/uploads/", params=query).status_code == 201


def test_mount_with_a_token_for_the_target_alone(live: LiveRegistry, secret: Pushed) -> None:
    """202: what the token does not cover is not read, whatever the principal may."""
    with _token(live, OWNER, "repository:team/narrow:pull,push") as client:
        query = {"mount": secret.digest, "from": "secret/app"}
        assert client.post("/v2/team/narrow/blobs/uploads/", params=query).status_code == 202


def test_catalog_shows_what_the_caller_may_pull(owner: httpx.Client, bound: httpx.Client, secret: Pushed) -> None:
    """The others are not named."""
    Repository(owner, "team/shown").blob(secret.raw)
    assert {"secret/app", "team/shown"} <= set(owner.get("/v2/_catalog").json()["repositories"])
    assert all(name.startswith("team/") for name in bound.get("/v2/_catalog").json()["repositories"])


def test_catalog_of_somebody_who_may_pull_nothing(live: LiveRegistry, secret: Pushed) -> None:
    """A role that only deletes sees no repository."""
    with _signed_in(live, person(Role.ACR_DELETE)) as client:
        assert client.get("/v2/_catalog").json() == {"repositories": []}


def test_unknown_repository_is_not_told_to_strangers(live: LiveRegistry) -> None:
    """Without credentials an unknown repository looks like a known one."""
    with live.client() as client:
        assert client.get("/v2/no/such/tags/list").status_code == 401


def test_reader_is_told_why_it_may_not_push(live: LiveRegistry) -> None:
    """403 DENIED whose message is the whole reason: docker prints nothing else."""
    with _signed_in(live, READER) as client:
        answer = client.post("/v2/team/app/blobs/uploads/")
    assert (answer.status_code, code_of(answer)) == (403, "DENIED")
    assert "may not push to team/app: needs role AcrPush or Owner" in answer.json()["errors"][0]["message"]


def test_refused_upload_leaves_the_connection_in_step(live: LiveRegistry) -> None:
    """A body that nobody asked for is read away or ends the connection; the next request is served either way."""
    with live.client() as client:
        for size in (100, 3_000_000):
            assert client.patch("/v2/team/app/blobs/uploads/x", content=b"P" * size).status_code == 401
            assert client.get("/healthz").status_code == 200
