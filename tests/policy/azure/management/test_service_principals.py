"""Signing in with a principal's secret, and how far the token reaches."""

from typing import Any

import httpx
import pytest

from tests.policy.azure.endpoint import SUBSCRIPTION, LiveEndpoint, code_of

TOKEN = "/adfs/oauth2/token"


def form_of(endpoint: LiveEndpoint, **more: str) -> dict[str, str]:
    """What MSAL sends, as the reader."""
    secret = endpoint.gateway.secrets["reader"]
    return {"grant_type": "client_credentials", "client_id": "reader", "client_secret": secret} | more


def posted(endpoint: LiveEndpoint, form: dict[str, str], path: str = TOKEN) -> httpx.Response:
    """The answer to a form."""
    with endpoint.client() as client:
        return client.post(path, data=form)


def exchanged(endpoint: LiveEndpoint, token: str) -> httpx.Response:
    """The registry's answer to a token of the endpoint."""
    form = {"grant_type": "access_token", "service": "x", "access_token": token}
    return httpx.post(f"{endpoint.gateway.registry.url}/oauth2/exchange", data=form)


@pytest.mark.parametrize("path", [TOKEN, "/any-tenant/oauth2/v2.0/token", "/any-tenant/oauth2/token"])
def test_a_secret_brings_a_token(endpoint: LiveEndpoint, path: str) -> None:
    """In the paths of AD FS and of both versions of Entra."""
    reply = posted(endpoint, form_of(endpoint), path).raise_for_status().json()
    assert reply["token_type"] == "Bearer"
    assert reply["expires_in"] > 3000
    assert "refresh_token" not in reply


@pytest.mark.parametrize(
    ("more", "error", "status"),
    [
        ({"client_secret": "wrong"}, "invalid_client", 401),
        ({"client_secret": ""}, "invalid_client", 401),
        ({"client_id": "nobody"}, "invalid_client", 401),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, "invalid_client", 401),
        ({"client_id": ""}, "invalid_request", 400),
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
        ({"grant_type": ""}, "unsupported_grant_type", 400),
        ({"grant_type": "refresh_token"}, "invalid_request", 400),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant", 400),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_grant", 400),
    ],
)
def test_a_refusal_is_in_the_form_of_oauth(
    endpoint: LiveEndpoint, more: dict[str, str], error: str, status: int
) -> None:
    """`error` is a word of RFC 6749, and the description is what az prints."""
    answer = posted(endpoint, form_of(endpoint, **more))
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_a_registry_token_is_no_secret(endpoint: LiveEndpoint) -> None:
    """A refresh token of the registry under the user name for tokens brings nothing here."""
    refresh = exchanged(endpoint, endpoint.token("reader")).json()["refresh_token"]
    form = form_of(endpoint, client_id="00000000-0000-0000-0000-000000000000", client_secret=refresh)
    assert posted(endpoint, form).status_code == 401


def test_the_token_is_exchanged_for_all_that_the_principal_may(endpoint: LiveEndpoint) -> None:
    """A refresh token of the registry comes back that is not narrower."""
    refresh = exchanged(endpoint, endpoint.token("admin")).raise_for_status().json()["refresh_token"]
    form = {
        "grant_type": "refresh_token",
        "service": "x",
        "refresh_token": refresh,
        "scope": "repository:a/b:pull,push",
    }
    reply = httpx.post(f"{endpoint.gateway.registry.url}/oauth2/token", data=form).raise_for_status().json()
    assert reply["scope"] == "repository:a/b:pull,push"


def test_the_token_opens_no_content_by_itself(endpoint: LiveEndpoint) -> None:
    """At /v2/ it is a foreign token."""
    bearer = {"Authorization": f"Bearer {endpoint.token('admin')}"}
    assert httpx.get(f"{endpoint.gateway.registry.url}/v2/", headers=bearer).status_code == 401


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_token_of_the_registry_opens_nothing_here(endpoint: LiveEndpoint, kind: str) -> None:
    """Neither of its tokens is one of the endpoint."""
    tokens: dict[str, Any] = exchanged(endpoint, endpoint.token("admin")).json()
    form = {"grant_type": "refresh_token", "service": "x", **tokens}
    tokens |= httpx.post(f"{endpoint.gateway.registry.url}/oauth2/token", data=form).json()
    with endpoint.client(headers={"Authorization": f"Bearer {tokens[kind]}"}) as client:
        assert code_of(client.get(SUBSCRIPTION)) == (401, "AuthenticationFailed")
