"""Scope maps and repository-scoped tokens: what they grant, over every way in."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx
import pytest

from policy.azure.scope_maps import FOREVER, SYSTEM, RepositoryTokens, ScopeMapRefused, ScopeMaps
from registry.auth.actions import Action
from registry.auth.enrolment import EnrolmentRefused
from tests.policy.live import LiveGateway

T = TypeVar("T")
ALL = ("content/read", "content/write", "content/delete", "metadata/read", "metadata/write")
ROUTES = {
    "content/read": ("GET", "/v2/{name}/manifests/good"),
    "content/delete": ("DELETE", "/v2/{name}/manifests/none"),
    "metadata/read": ("GET", "/acr/v1/{name}/_tags/good"),
    "metadata/write": ("PATCH", "/acr/v1/{name}/_tags/good"),
}


def run(work: Coroutine[Any, Any, T]) -> T:
    """Beside the server, as another process would."""
    return asyncio.run(work)


def maps(lab: LiveGateway) -> ScopeMaps:
    """The maps of the server."""
    return ScopeMaps(lab.registry.app.services.stores.metadata)


def tokens(lab: LiveGateway) -> RepositoryTokens:
    """The tokens of the server."""
    return RepositoryTokens(lab.registry.app.services.stores.metadata)


def made(lab: LiveGateway, name: str, *actions: str) -> httpx.Client:
    """A client that signs in with a new token which has these actions; the test closes it."""
    run(maps(lab).put(f"{name}-map", actions))
    run(tokens(lab).put(name, f"{name}-map"))
    first, _ = run(tokens(lab).generate(name))
    return lab.registry.client(auth=(name, first.value))


def answered(client: httpx.Client, repository: str, action: str) -> bool:
    """Whether a route that needs the action does more than refuse."""
    method, path = ROUTES[action]
    content = b"{}" if method == "PATCH" else None
    return client.request(method, path.format(name=repository), content=content).status_code not in {401, 403}


@pytest.mark.parametrize("action", ROUTES)
def test_an_action_grants_what_it_says(lab: LiveGateway, action: str) -> None:
    """In its repository, and nothing else there or elsewhere."""
    with made(lab, f"only-{action.replace('/', '-')}", f"repositories/team/app/{action}") as client:
        assert {each for each in ROUTES if answered(client, "team/app", each)} == {action}
        assert not any(answered(client, "team/other", each) for each in ROUTES)


def test_pushing_needs_reading_and_writing(lab: LiveGateway) -> None:
    """As in Azure."""
    path = "/v2/team/pushed/blobs/uploads/"
    with made(lab, "writer-only", "repositories/team/pushed/content/write") as client:
        assert client.post(path).status_code == 403
    both = [f"repositories/team/pushed/content/{word}" for word in ("read", "write")]
    with made(lab, "writer-reader", *both) as client:
        assert client.post(path).status_code == 202


def test_a_wildcard_reaches_what_it_covers(lab: LiveGateway) -> None:
    """And the catalog shows no more."""
    with made(lab, "by-wildcard", "repositories/team/*/content/read") as client:
        assert answered(client, "team/app", "content/read")
        assert client.get("/v2/_catalog").json()["repositories"] == ["team/app"]
        assert client.get("/acr/v1/_catalog").json()["repositories"] == ["team/app"]


def test_access_tokens_have_no_more(lab: LiveGateway) -> None:
    """Whatever is asked for."""
    with made(lab, "by-bearer", "repositories/team/app/metadata/read") as client:
        asked = "repository:team/app:* repository:team/other:* registry:catalog:*"
        granted = client.get("/oauth2/token", params={"scope": asked}).json()["scope"]
    assert granted == f"repository:team/app:{Action.METADATA_READ} registry:catalog:*"


def test_a_changed_map_counts_at_once(lab: LiveGateway) -> None:
    """For tokens that have it."""
    with made(lab, "changing", "repositories/team/app/metadata/read") as client:
        assert not answered(client, "team/app", "content/read")
        run(maps(lab).put("changing-map", ["repositories/team/app/content/read"]))
        assert answered(client, "team/app", "content/read")
        assert not answered(client, "team/app", "metadata/read")


def test_a_token_that_is_disabled_or_removed_ends(lab: LiveGateway) -> None:
    """At once."""
    with made(lab, "ending", "repositories/team/app/content/read") as client:
        run(tokens(lab).put("ending", "ending-map", enabled=False))
        assert client.get("/v2/").status_code == 401
        run(tokens(lab).put("ending", "ending-map"))
        assert client.get("/v2/").status_code == 200
        run(tokens(lab).remove("ending"))
        assert client.get("/v2/").status_code == 401


def test_passwords_are_renewed_one_by_one_and_end(lab: LiveGateway) -> None:
    """Each has an end of its own, or none."""
    made(lab, "passwords", "repositories/team/app/content/read").close()
    first, second = run(tokens(lab).generate("passwords"))
    (renewed,) = run(tokens(lab).generate("passwords", ["password1"], time.time() + 60))
    found = {}
    for secret in (first, second, renewed):
        with lab.registry.client(auth=("passwords", secret.value)) as client:
            found[secret.value] = client.get("/v2/").status_code
    assert list(found.values()) == [401, 200, 200]
    ends = {name: times[1] for name, times in run(tokens(lab).find("passwords")).passwords.items()}
    assert ends["password1"] < time.time() + 61
    assert ends["password2"] == FOREVER


@pytest.mark.parametrize("name", SYSTEM)
def test_maps_that_are_always_there(lab: LiveGateway, name: str) -> None:
    """Tokens can have them; they are neither changed nor removed."""
    run(tokens(lab).put(f"has{name}", name))
    assert run(maps(lab).find(name)).actions == SYSTEM[name]
    for work in (maps(lab).put(name, SYSTEM[name]), maps(lab).remove(name)):
        with pytest.raises(ScopeMapRefused):
            run(work)
    assert {each.name for each in run(maps(lab).all()) if each.is_system} == SYSTEM.keys()


@pytest.mark.parametrize(
    "action", ["", "repositories/team/app", "repositories/team/app/content/fly", "team/content/read"]
)
def test_what_is_no_action_is_refused(lab: LiveGateway, action: str) -> None:
    """With what is needed."""
    with pytest.raises(ScopeMapRefused, match="no action"):
        run(maps(lab).put("no-action", [action]))


def test_what_cannot_be_is_refused(lab: LiveGateway) -> None:
    """Names, patterns, maps that are not there or in use, passwords that are none or over."""
    made(lab, "in-use", "repositories/team/app/content/read").close()
    for work in (
        maps(lab).put("abc", ["repositories/a/content/read"]),
        maps(lab).put("nothing-granted", []),
        maps(lab).remove("in-use-map"),
        maps(lab).find("not-there"),
        tokens(lab).put("no-map", "not-there"),
        tokens(lab).put("reader", "in-use-map"),
        tokens(lab).generate("in-use", ["password3"]),
        tokens(lab).generate("in-use", expires=1.0),
        tokens(lab).remove("reader"),
    ):
        with pytest.raises(ScopeMapRefused):
            run(work)


def test_a_pattern_that_covers_no_repository_is_refused(lab: LiveGateway) -> None:
    """Names of repositories are lower-case."""
    with pytest.raises(EnrolmentRefused):
        run(maps(lab).put("bad-pattern", ["repositories/TEAM/content/read"]))
