"""People sign in with a principal's name and secret on a page: in the browser that az opens, or with a device code."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.policy.azure.endpoint import SUBSCRIPTION, LiveEndpoint, live_endpoint
from tests.policy.azure.management.browser import REDIRECT, Program, fields_of, fill_in


def signed_in(endpoint: LiveEndpoint, program: Program, **more: str) -> str:
    """The code that the page sends on after a person has signed in as the reader."""
    page = fill_in(endpoint, program.address(**more), username="reader", password=endpoint.gateway.secrets["reader"])
    return fields_of(page.text)["code"]


def asked_by_device(endpoint: LiveEndpoint) -> dict[str, Any]:
    """The answer to a device that asks for its codes."""
    with endpoint.client() as client:
        form = {"client_id": "az", "scope": "https://localhost/.default offline_access"}
        return dict(client.post("/adfs/oauth2/devicecode", data=form).raise_for_status().json())


def polled(endpoint: LiveEndpoint, device_code: str, client_id: str = "az") -> httpx.Response:
    """The answer to a device that asks whether its person has signed in."""
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    with endpoint.client() as client:
        form = {"grant_type": grant, "client_id": client_id, "device_code": device_code}
        return client.post("/adfs/oauth2/token", data=form)


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says."""
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def test_a_browser_brings_tokens(endpoint: LiveEndpoint) -> None:
    """The page posts a code and the state to the program, and the code becomes tokens."""
    program = Program()
    reply = program.redeem(endpoint, signed_in(endpoint, program)).raise_for_status().json()
    said = claims_of(reply["id_token"])
    assert (said["aud"], said["nonce"], said["preferred_username"]) == ("az", "nonce-1", "reader")
    with endpoint.client(headers={"Authorization": f"Bearer {reply['access_token']}"}) as client:
        assert client.get(SUBSCRIPTION).status_code == 200


def test_the_page_posts_to_the_program_and_nowhere_else(endpoint: LiveEndpoint) -> None:
    """Its policy lets it send the form there only, and run the one line that does."""
    secret = endpoint.gateway.secrets["reader"]
    page = fill_in(endpoint, Program().address(), username="reader", password=secret)
    assert fields_of(page.text)["state"] == "state-1"
    assert f'action="{REDIRECT}"' in page.text
    assert f"form-action {REDIRECT};" in page.headers["content-security-policy"]


def test_a_refresh_token_brings_another_access_token(endpoint: LiveEndpoint) -> None:
    """Without anybody signing in again."""
    program = Program()
    first = program.redeem(endpoint, signed_in(endpoint, program)).json()
    form = {"grant_type": "refresh_token", "client_id": "az", "refresh_token": first["refresh_token"]}
    with endpoint.client() as client:
        again = client.post("/adfs/oauth2/token", data=form).raise_for_status().json()
    assert again["access_token"] != first["access_token"]
    assert again["refresh_token"] == first["refresh_token"]


def test_an_access_token_is_no_refresh_token(endpoint: LiveEndpoint) -> None:
    """Else what lives an hour would live for ever."""
    form = {"grant_type": "refresh_token", "client_id": "az", "refresh_token": endpoint.token("reader")}
    with endpoint.client() as client:
        assert client.post("/adfs/oauth2/token", data=form).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "more", [{"code_verifier": "x" * 43}, {"client_id": "other"}, {"redirect_uri": "http://localhost:1"}]
)
def test_a_code_is_good_for_its_own_program(endpoint: LiveEndpoint, more: dict[str, str]) -> None:
    """Whoever stole it lacks the verifier (RFC 7636)."""
    program = Program()
    answer = program.redeem(endpoint, signed_in(endpoint, program), **more)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_good_once(endpoint: LiveEndpoint) -> None:
    """A second use is refused."""
    program = Program()
    code = signed_in(endpoint, program)
    assert program.redeem(endpoint, code).status_code == 200
    assert program.redeem(endpoint, code).json()["error"] == "invalid_grant"


def test_a_wrong_secret_shows_the_page_again(endpoint: LiveEndpoint) -> None:
    """With what is wrong, what was asked for, and without what was typed."""
    page = fill_in(endpoint, Program().address(), username="reader", password="wrong-secret")
    assert page.status_code == 401
    assert 'role="alert"' in page.text
    assert fields_of(page.text)["state"] == "state-1"
    assert "wrong-secret" not in page.text


@pytest.mark.parametrize(
    "more",
    [
        {"redirect_uri": "https://evil.example"},
        {"redirect_uri": "http://localhost@evil.example/"},
        {"redirect_uri": "http://localhost:8400/;script-src *"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://localhost:99999"},
        {"response_type": "token"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"client_id": ""},
        {"state": "x" * 5000},
    ],
)
def test_a_code_goes_to_this_machine_only(endpoint: LiveEndpoint, more: dict[str, str]) -> None:
    """And only where it is of use to nobody else: no form is shown otherwise."""
    with endpoint.client() as client:
        page = client.get(Program().address(**more))
    assert page.status_code == 400
    assert "password" not in page.text


def test_what_a_page_repeats_is_text(endpoint: LiveEndpoint) -> None:
    """Markup in a parameter stays a value."""
    with endpoint.client() as client:
        page = client.get(Program().address(state='"><script>alert(1)</script>'))
    assert "<script>" not in page.text


def test_a_query_brings_the_code_where_the_program_asked_for_that(endpoint: LiveEndpoint) -> None:
    """RFC 6749 section 4.1.2."""
    secret = endpoint.gateway.secrets["reader"]
    answer = fill_in(endpoint, Program().address(response_mode="query"), username="reader", password=secret)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{REDIRECT}?code=")


def test_a_device_waits_until_its_person_has_signed_in(endpoint: LiveEndpoint) -> None:
    """Then it gets its tokens, once."""
    codes, secret = asked_by_device(endpoint), endpoint.gateway.secrets["reader"]
    assert polled(endpoint, codes["device_code"]).json()["error"] == "authorization_pending"
    typed = codes["user_code"].lower().replace("-", "")
    assert fill_in(endpoint, "/device", user_code=typed, username="reader", password=secret).status_code == 200
    assert claims_of(polled(endpoint, codes["device_code"]).json()["id_token"])["upn"] == "reader"
    assert polled(endpoint, codes["device_code"]).json()["error"] == "expired_token"


def test_a_device_code_is_its_own_programs(endpoint: LiveEndpoint) -> None:
    """Another client gets nothing with it."""
    codes = asked_by_device(endpoint)
    assert polled(endpoint, codes["device_code"], "other").json()["error"] == "expired_token"


def test_an_unknown_user_code_allows_nothing(endpoint: LiveEndpoint) -> None:
    """Whoever signs in with it is told."""
    secret = endpoint.gateway.secrets["reader"]
    page = fill_in(endpoint, "/device", user_code="BBBB-BBBB", username="reader", password=secret)
    assert page.status_code == 400


def test_a_wrong_secret_allows_no_device(endpoint: LiveEndpoint) -> None:
    """The code alone is not enough."""
    codes = asked_by_device(endpoint)
    page = fill_in(endpoint, "/device", user_code=codes["user_code"], username="reader", password="wrong")
    assert page.status_code == 401
    assert polled(endpoint, codes["device_code"]).json()["error"] == "authorization_pending"


@pytest.mark.parametrize("address", ["/device", Program().address()], ids=["device", "program"])
def test_too_many_wrong_secrets_say_when_to_come_again(tmp_path: Path, address: str) -> None:
    """In the head of the page, whichever it is."""
    throttle = {"delay_seconds": 0, "pair_failures": 2, "address_failures": 1000}
    with live_endpoint(tmp_path / "data", auth={"throttle": throttle}) as endpoint:
        pages = [fill_in(endpoint, address, username="reader", password="wrong") for _ in range(3)]
    assert [page.status_code for page in pages] == [401, 401, 429]
    assert int(pages[-1].headers["Retry-After"]) > 0
