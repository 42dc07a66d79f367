"""Signing in over HTTP: brute force, anonymous pull, and uploads that outlive their token."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.auth.actions import Role
from registry.oci.digest import Digest
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import ended, person
from tests.servers import LiveRegistry

PUSHER = person(Role.ACR_PUSH)
READER = person(Role.ACR_PULL)
RIGHT = (PUSHER.row.name, PUSHER.secret())
WRONG = (PUSHER.row.name, "wrong")
CONTENT = b"some bytes of a layer"
DIGEST = Digest.of(CONTENT)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[LiveRegistry]:
    """A registry that asks to sign in and refuses after three wrong secrets."""
    throttle = {"delay_seconds": 0.0, "pair_failures": 3, "refusal_seconds": 60.0}
    with guarded_registry(tmp_path, throttle=throttle) as live:
        yield live


def statuses(client: httpx.Client, auth: tuple[str, str], times: int) -> list[int]:
    """The answers to the same credentials, one after the other."""
    return [client.get("/v2/", auth=auth).status_code for _ in range(times)]


def test_guessing_ends_in_429(guarded: LiveRegistry) -> None:
    """Three wrong secrets, then nobody listens for a while; the answer says how long."""
    with guarded.client() as client:
        assert statuses(client, WRONG, 4) == [401, 401, 401, 429]
        refused = client.get("/oauth2/token", auth=WRONG)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (429, "TOOMANYREQUESTS")
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_guessing_at_one_principal_leaves_the_others(guarded: LiveRegistry) -> None:
    """Another principal signs in from the same address."""
    with guarded.client() as client:
        statuses(client, WRONG, 4)
        assert statuses(client, (READER.row.name, READER.secret()), 1) == [200]


def test_guessing_elsewhere_leaves_the_principal(tmp_path: Path) -> None:
    """The same principal signs in from another address (here told by a trusted proxy)."""
    proxies = {"trusted_proxies": ["127.0.0.1"]}
    with guarded_registry(tmp_path, server=proxies, throttle={"pair_failures": 1}) as live, live.client() as client:
        refused = [client.get("/v2/", auth=WRONG, headers={"X-Forwarded-For": "192.0.2.66"}) for _ in range(2)]
        answer = client.get("/v2/", auth=RIGHT, headers={"X-Forwarded-For": "192.0.2.7"})
    assert [reply.status_code for reply in refused] == [401, 429]
    assert answer.status_code == 200


def test_a_burst_of_guesses_leaves_the_others(tmp_path: Path) -> None:
    """Eighty wrong secrets at once, from one address or from eight: nobody else is sent away."""
    proxies = {"trusted_proxies": ["127.0.0.1"]}
    with guarded_registry(tmp_path, server=proxies) as live, live.client() as client, ThreadPoolExecutor(80) as pool:

        def guess(number: int) -> int:
            fields = {"X-Forwarded-For": f"192.0.2.{number % 8 if number < 40 else 0}"}
            return client.get("/v2/", auth=(WRONG[0], f"wrong {number}"), headers=fields).status_code

        guesses = [pool.submit(guess, number) for number in range(80)]
        first = client.get("/v2/", auth=RIGHT, headers={"X-Forwarded-For": "192.0.2.99"})
        beside = client.get("/v2/", auth=(READER.row.name, READER.secret()), headers={"X-Forwarded-For": "192.0.2.0"})
        assert {each.result() for each in guesses} == {401, 429}
    assert (first.status_code, beside.status_code) == (200, 200)


def test_who_has_signed_in_is_not_thrown_out(guarded: LiveRegistry) -> None:
    """A build that runs with the right secret goes on while somebody beside it guesses."""
    with guarded.client() as client:
        assert statuses(client, RIGHT, 1) == [200]
        statuses(client, WRONG, 4)
        assert statuses(client, RIGHT, 1) == [200]


def test_success_resets_the_count(guarded: LiveRegistry) -> None:
    """Mistakes before the right secret are forgiven."""
    with guarded.client() as client:
        assert statuses(client, WRONG, 2) == [401, 401]
        assert statuses(client, RIGHT, 1) == [200]
        assert statuses(client, WRONG, 3) == [401, 401, 401]


def test_anonymous_pull_by_token(tmp_path: Path) -> None:
    """As docker does it: challenge, anonymous token, pull. And pushing is still for principals."""
    with guarded_registry(tmp_path, anonymous_pull=True) as live, live.client() as client:
        client.post("/v2/team/app/blobs/uploads/", params={"digest": DIGEST}, content=CONTENT, auth=RIGHT)
        scope = {"scope": "repository:team/app:pull,push"}
        token = {"Authorization": "Bearer " + client.get("/oauth2/token", params=scope).json()["token"]}
        assert client.get("/v2/").status_code == 401
        assert client.get(f"/v2/team/app/blobs/{DIGEST}", headers=token).content == CONTENT
        assert client.post("/v2/team/app/blobs/uploads/", headers=token).status_code == 401


@pytest.mark.parametrize(
    ("auth", "status"),
    [({"anonymous_pull": True}, 401), ({"anonymous_pull": False}, 401), ({"required": False}, 200)],
)
def test_anonymous_token_is_not_signed_in(tmp_path: Path, auth: dict[str, Any], status: int) -> None:
    """`/v2/` answers the anonymous caller's token as it answers no credentials at all."""
    with guarded_registry(tmp_path, **auth) as live, live.client() as client:
        token = {"Authorization": "Bearer " + client.get("/oauth2/token").json()["token"]}
        replies = [client.get("/v2/"), *(client.get("/v2/", headers=token) for _ in range(3))]
    assert {reply.status_code for reply in replies} == {status}
    assert len({(reply.text, reply.headers.get("WWW-Authenticate")) for reply in replies}) == 1


def test_upload_outlives_its_token(guarded: LiveRegistry) -> None:
    """What was begun with a token is finished with it after its end; nothing else is."""
    settings = guarded.app.settings
    old = {"Authorization": "Bearer " + ended(guarded.data, settings, PUSHER, "repository:team/app:pull,push")}
    with guarded.client() as client:
        place = client.post("/v2/team/app/blobs/uploads/", auth=RIGHT).headers["Location"]
        assert client.post("/v2/team/app/blobs/uploads/", headers=old).status_code == 401
        assert client.patch(place, content=CONTENT, headers=old).status_code == 202
        assert client.put(place, params={"digest": DIGEST}, headers=old).status_code == 201
        assert client.get(f"/v2/team/app/blobs/{DIGEST}", headers=old).status_code == 401


def test_ended_token_of_another_does_not_carry_on(guarded: LiveRegistry) -> None:
    """A session belongs to who began it."""
    old = ended(guarded.data, guarded.app.settings, person(Role.OWNER), "repository:team/app:pull,push")
    with guarded.client() as client:
        place = client.post("/v2/team/app/blobs/uploads/", auth=RIGHT).headers["Location"]
        reply = client.patch(place, content=CONTENT, headers={"Authorization": f"Bearer {old}"})
    assert (reply.status_code, reply.headers["WWW-Authenticate"][-22:]) == (401, ',error="invalid_token"')
