"""Clause c6: mounts that name no source find a blob in the repositories that the caller may pull, and nowhere else."""

from collections.abc import Iterator

import httpx
import pytest

from registry.auth.actions import Role
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person
from tests.repository import Pushed, Repository
from tests.servers import LiveRegistry

OWNER, BOUND = person(Role.OWNER), person(Role.ACR_PUSH, "team/*")


@pytest.fixture(scope="module", params=["fast", "plain"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRegistry]:
    """A registry where everybody signs in."""
    with guarded_registry(tmp_path_factory.mktemp("mounts"), {"fast": request.param == "fast"}) as live:
        yield live


@pytest.fixture
def owner(live: LiveRegistry) -> Iterator[httpx.Client]:
    """Somebody who may do everything."""
    with live.client(auth=(OWNER.row.name, OWNER.secret())) as client:
        yield client


@pytest.fixture
def target(live: LiveRegistry) -> Iterator[Repository]:
    """Where somebody wants a blob who may push and pull below team/ only."""
    with live.client(auth=(BOUND.row.name, BOUND.secret())) as client:
        yield Repository(client, "team/target")


def _mount(target: Repository, blob: Pushed) -> int:
    return target.client.post(target.url("blobs/uploads/"), params={"mount": blob.digest}).status_code


def test_from_a_repository_that_the_caller_may_pull(owner: httpx.Client, target: Repository) -> None:
    """201, and the blob is in the target."""
    blob = Repository(owner, "team/source").blob(b"for the team")
    assert _mount(target, blob) == 201
    assert target.get(f"blobs/{blob.digest}").content == blob.raw


def test_not_from_a_repository_that_the_caller_may_not_pull(owner: httpx.Client, target: Repository) -> None:
    """202, as for a blob that nobody has; afterwards it is not in the target."""
    blob = Repository(owner, "secret/source").blob(b"not for the team")
    assert _mount(target, blob) == 202
    assert target.head(f"blobs/{blob.digest}").status_code == 404


def test_the_first_holder_may_be_one_that_the_caller_may_not_pull(owner: httpx.Client, target: Repository) -> None:
    """It is passed over for another that the caller may: 201."""
    blob = Repository(owner, "a/source").blob(b"held twice")
    Repository(owner, "team/z").blob(b"held twice")
    assert _mount(target, blob) == 201


def test_with_a_token_for_the_target_alone(live: LiveRegistry, owner: httpx.Client) -> None:
    """202: a token that does not cover the source does not open it, whatever its principal may."""
    blob = Repository(owner, "team/source").blob(b"outside the token")
    scope = {"service": "x", "scope": "repository:team/narrow:pull,push"}
    token = owner.get("/oauth2/token", params=scope).json()["access_token"]
    with live.client(headers={"Authorization": f"Bearer {token}"}) as client:
        assert _mount(Repository(client, "team/narrow"), blob) == 202
