"""The token endpoints, in the forms that real clients send."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from registry.auth.actions import Role
from registry.auth.credentials import NULL_GUID
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person

PUSHER = person(Role.ACR_PUSH)
WHO = (PUSHER.row.id, PUSHER.secret())
SCOPE = "repository:team/app:pull,push"
TOKEN = "/oauth2/token"
PASSWORD = {"grant_type": "password", "username": WHO[0], "password": WHO[1], "scope": SCOPE, "service": "s"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of one registry for the whole file."""
    with guarded_registry(tmp_path_factory.mktemp("data")) as live, live.client() as opened:
        yield opened


def claims(token: str) -> dict[str, Any]:
    """The claims of a token, unchecked."""
    loaded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return loaded


def granted(reply: httpx.Response) -> list[str]:
    """The scopes that the access token of a reply holds."""
    access = claims(reply.json()["access_token"])["access"]
    return [f"{each['type']}:{each['name']}:{','.join(each['actions'])}" for each in access]


def refresh_token(client: httpx.Client) -> str:
    """What a client keeps that asks for offline access."""
    return str(client.post(TOKEN, data=PASSWORD | {"access_type": "offline"}).json()["refresh_token"])


def test_get_with_basic(client: httpx.Client) -> None:
    """As docker, podman and skopeo ask: both token names, a life of at least 60 s, when it was made, what it grants."""
    reply = client.get(TOKEN, params={"account": "ci", "scope": SCOPE, "service": "s"}, auth=WHO)
    document = reply.json()
    assert reply.status_code == 200
    assert document["token"] == document["access_token"]
    assert (document["expires_in"], document["scope"]) == (3600, SCOPE)
    assert document["issued_at"].endswith("Z")
    assert "refresh_token" not in document
    assert reply.headers["Cache-Control"] == "no-store"


def test_head_is_get_without_its_body(client: httpx.Client) -> None:
    """RFC 9110 section 9.3.2."""
    reply = client.head(TOKEN, params={"scope": SCOPE}, auth=WHO)
    assert (reply.status_code, reply.content, reply.headers["Cache-Control"]) == (200, b"", "no-store")


def test_token_opens_what_it_grants(client: httpx.Client) -> None:
    """The token of one request lets the next one in."""
    token = client.get(TOKEN, params={"scope": SCOPE}, auth=WHO).json()["token"]
    started = client.post("/v2/team/app/blobs/uploads/", headers={"Authorization": f"Bearer {token}"})
    assert started.status_code == 202


def test_repeated_scopes(client: httpx.Client) -> None:
    """Docker sends one parameter for each repository."""
    scopes = ["repository:a:pull", "repository:b:pull,push"]
    assert granted(client.get(TOKEN, params={"scope": scopes}, auth=WHO)) == scopes


def test_more_than_the_role_gives_is_no_error(client: httpx.Client) -> None:
    """The token comes back with less."""
    reply = client.get(TOKEN, params={"scope": "repository:a:pull,push,delete"}, auth=WHO)
    assert (reply.status_code, granted(reply)) == (200, ["repository:a:pull,push"])


def test_login_without_a_scope(client: httpx.Client) -> None:
    """`docker login` asks for nothing but wants to hear that the secret is right."""
    reply = client.get(TOKEN, params={"service": "s", "client_id": "docker"}, auth=WHO)
    assert (reply.status_code, granted(reply)) == (200, [])


@pytest.mark.parametrize("auth", [(WHO[0], "wrong"), ("nobody", WHO[1])])
def test_wrong_secret(client: httpx.Client, auth: tuple[str, str]) -> None:
    """401 in both forms, never an anonymous token."""
    refused = client.get(TOKEN, params={"scope": SCOPE}, auth=auth)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Basic realm="basegate"')
    form = PASSWORD | {"username": auth[0], "password": auth[1]}
    assert client.post(TOKEN, data=form).status_code == 401


def test_unreadable_credentials(client: httpx.Client) -> None:
    """A header that says nothing we know is not the anonymous caller."""
    reply = client.get(TOKEN, headers={"Authorization": "Digest x"})
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (401, "UNAUTHORIZED")


def test_post_with_password(client: httpx.Client) -> None:
    """As az and containerd ask; scopes separated by spaces."""
    reply = client.post(TOKEN, data=PASSWORD | {"scope": "repository:a:pull repository:b:pull"})
    assert granted(reply) == ["repository:a:pull", "repository:b:pull"]
    assert "refresh_token" not in reply.json()


@pytest.mark.parametrize("by", ["secret", "refresh token"])
def test_get_hands_out_nothing_to_refresh_with(client: httpx.Client, by: str) -> None:
    """Docker would keep it in the place of the secret, and podman could not sign in beside it."""
    auth = WHO if by == "secret" else (NULL_GUID, refresh_token(client))
    reply = client.get(TOKEN, params={"offline_token": "true", "service": "s", "account": "a"}, auth=auth)
    assert (reply.status_code, "refresh_token" in reply.json()) == (200, False)


def test_post_offline(client: httpx.Client) -> None:
    """`access_type=offline` asks for a refresh token, which lives as long as the secret."""
    kept = refresh_token(client)
    assert claims(kept)["exp"] == int(PUSHER.row.secrets[0].expires)


def test_post_with_refresh_token(client: httpx.Client) -> None:
    """The refresh token becomes an access token, and stays good."""
    kept = refresh_token(client)
    reply = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": kept, "scope": SCOPE})
    assert (granted(reply), reply.json()["refresh_token"]) == ([SCOPE], kept)


def test_kinds_of_token_are_not_mixed_up(client: httpx.Client) -> None:
    """An access token refreshes nothing; a refresh token opens no route, even one that was just used to refresh."""
    reply = client.post(TOKEN, data=PASSWORD | {"access_type": "offline"}).json()
    refreshed = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": reply["refresh_token"]})
    wrong = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": reply["access_token"]})
    opened = client.get("/v2/", headers={"Authorization": f"Bearer {reply['refresh_token']}"})
    assert [answer.status_code for answer in (refreshed, wrong, opened)] == [200, 401, 401]


def test_chunked_form(client: httpx.Client) -> None:
    """Skopeo sends the form without a length."""
    form = f"client_id=containers%2Fimage&grant_type=refresh_token&refresh_token={refresh_token(client)}&scope={SCOPE}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = client.post(TOKEN, content=iter([form[:40].encode(), form[40:].encode()]), headers=headers)
    assert granted(reply) == [SCOPE]


def test_anonymous_token_grants_nothing_while_anonymous_pull_is_off(client: httpx.Client) -> None:
    """Skopeo's GET and the SDK's POST without a user are answered, with an empty grant."""
    by_get = client.get(TOKEN, params={"scope": SCOPE})
    by_post = client.post(TOKEN, data={"grant_type": "password", "scope": SCOPE, "service": "s"})
    assert [(reply.status_code, granted(reply)) for reply in (by_get, by_post)] == [(200, [])] * 2
    assert by_get.json()["expires_in"] == 300


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": "client_credentials"},
        {"grant_type": "refresh_token"},
        {"grant_type": "password", "scope": " ".join(f"repository:r{n}:pull" for n in range(101))},
    ],
)
def test_malformed_form(client: httpx.Client, form: dict[str, str]) -> None:
    """400 with a sentence."""
    reply = client.post(TOKEN, data=form)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, "UNSUPPORTED")


@pytest.mark.parametrize(("body", "status"), [(b"\xff=\xfe", 400), (b"a=" + b"b" * 70_000, 413), (b"&" * 5000, 400)])
def test_hostile_form(client: httpx.Client, body: bytes, status: int) -> None:
    """What is no text, too long or of too many parts is refused."""
    assert client.post(TOKEN, content=body).status_code == status


@pytest.mark.parametrize("kept", ["nonsense", "", NULL_GUID])
def test_wrong_refresh_token(client: httpx.Client, kept: str) -> None:
    """401, or 400 where there is none."""
    reply = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": kept})
    assert reply.status_code == (401 if kept else 400)


def test_exchange_takes_our_refresh_token(client: httpx.Client) -> None:
    """What a TokenCredential hands over becomes an ACR refresh token."""
    form = {"grant_type": "access_token", "service": "s", "tenant": "t", "access_token": refresh_token(client)}
    reply = client.post("/oauth2/exchange", params={"api-version": "2021-07-01"}, data=form)
    assert list(reply.json()) == ["refresh_token"]
    kept = reply.json()["refresh_token"]
    again = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": kept, "scope": SCOPE})
    assert granted(again) == [SCOPE]


def test_exchange_never_lengthens(client: httpx.Client) -> None:
    """Each token keeps the end of the one it was got with, however often it is renewed, in any form."""
    access = client.get(TOKEN, params={"scope": SCOPE}, auth=WHO).json()["token"]
    ends = claims(access)["exp"]
    kept = access
    for _ in range(3):
        form = {"grant_type": "access_token", "access_token": kept}
        kept = client.post("/oauth2/exchange", data=form).json()["refresh_token"]
        assert claims(kept)["exp"] == ends
    by_form = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": kept, "scope": SCOPE})
    by_basic = client.get(TOKEN, params={"scope": SCOPE}, auth=(NULL_GUID, access))
    assert [claims(reply.json()["token"])["exp"] for reply in (by_form, by_basic)] == [ends, ends]


def test_exchange_of_a_long_token_lives_three_hours(client: httpx.Client) -> None:
    """That is ACR's figure for an exchanged login."""
    form = {"grant_type": "access_token", "access_token": refresh_token(client)}
    exchanged = claims(client.post("/oauth2/exchange", data=form).json()["refresh_token"])
    assert abs(exchanged["exp"] - exchanged["iat"] - 900 - 10_800) <= 1


def test_exchange_does_not_widen_a_token(client: httpx.Client) -> None:
    """Whoever was handed a token for one pull gets no more by exchanging it."""
    narrow = client.get(TOKEN, params={"scope": "repository:a:pull"}, auth=WHO).json()["token"]
    form = {"grant_type": "access_token", "access_token": narrow}
    kept = client.post("/oauth2/exchange", data=form).json()["refresh_token"]
    wanted = "repository:a:pull,push repository:b:pull registry:catalog:*"
    again = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": kept, "scope": wanted})
    assert granted(again) == ["repository:a:pull"]


def test_access_token_as_a_password_is_not_widened(client: httpx.Client) -> None:
    """Nor does signing in with it at the token endpoint."""
    narrow = client.get(TOKEN, params={"scope": "repository:a:pull"}, auth=WHO).json()["token"]
    reply = client.get(TOKEN, params={"scope": "repository:a:pull,push"}, auth=(NULL_GUID, narrow))
    assert granted(reply) == ["repository:a:pull"]


@pytest.mark.parametrize("text", ["nonsense", "eyJhbGciOiJub25lIn0.e30."])
def test_exchange_refuses_foreign_tokens(client: httpx.Client, text: str) -> None:
    """Only what this registry issued counts."""
    reply = client.post("/oauth2/exchange", data={"grant_type": "access_token", "access_token": text})
    assert reply.status_code == 401


def test_exchange_refuses_the_anonymous_caller(client: httpx.Client) -> None:
    """There is nobody to refresh."""
    token = client.get(TOKEN).json()["token"]
    reply = client.post("/oauth2/exchange", data={"grant_type": "access_token", "access_token": token})
    assert reply.status_code == 401
