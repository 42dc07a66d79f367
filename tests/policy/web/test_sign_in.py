"""Sessions: a name and a secret become a cookie, which is good for pages alone and ends with the secret."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection

from registry.auth.enrolment import delete, enable, make_secrets, rotate
from tests.policy.every_row import every_row
from tests.policy.live import LiveGateway, live_gateway
from tests.policy.web.conftest import OWN, SignedIn

CONTENT = ("/", "/index.json", "/?q=app", "/r/team/app", "/r/team/app:good", "/r/team/app:bad.json", "/r/no/such")
_FOR_EVERYBODY = {"web.ask", "web.sign_in", "web.style", "web.script", "web.live_script"}


@pytest.mark.parametrize("path", CONTENT)
def test_nobody_gets_more_than_the_form(live: LiveGateway, path: str) -> None:
    """Whoever has not signed in is told no name, digest or count, and the same of what is there and what is not."""
    with live.registry.client() as client:
        answer = client.get(path)
    assert answer.status_code == 401
    if path.endswith(".json"):
        assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"
    else:
        assert 'name="password"' in answer.text
        assert not any(word in answer.text.replace(path, "") for word in ("sha256:", "team", "good", "admin"))


@pytest.mark.parametrize(
    ("method", "path"),
    sorted(
        {
            (method, row.path.replace("{rest:path}", "team/app:good"))
            for row in every_row()
            for method in row.methods.split()
            if row.operation.startswith("web.") and row.operation not in _FOR_EVERYBODY
        }
    ),
)
def test_no_page_is_open(live: LiveGateway, method: str, path: str) -> None:
    """Whatever there is: nobody without a session or a secret gets it."""
    with live.registry.client() as client:
        assert client.request(method, path).status_code == 401


def test_a_session_is_a_cookie_that_scripts_and_other_sites_cannot_use(live: LiveGateway) -> None:
    """HttpOnly and SameSite=Strict; over plain HTTP it cannot be called secure."""
    with live.registry.client() as client:
        data = {"username": "reader", "password": live.secrets["reader"], "next": "/r/team/app"}
        answer = client.post("/sign-in", data=data, headers=OWN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/r/team/app")
        assert client.get("/r/team/app").status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("basegate=")
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}


def test_a_wrong_secret_is_the_form_again(live: LiveGateway) -> None:
    """With one sentence, the name that was typed, and without the browser's own question."""
    with live.registry.client() as client:
        answer = client.post("/sign-in", data={"username": "reader", "password": "wrong"}, headers=OWN)
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert 'value="reader"' in answer.text
    assert "www-authenticate" not in answer.headers


def test_signing_in_is_slowed_down_as_at_the_token_endpoint(tmp_path: Path) -> None:
    """The same failures count at both."""
    throttle = {"delay_seconds": 0.0, "pair_failures": 3, "address_failures": 1000}
    with live_gateway(tmp_path / "data", auth={"throttle": throttle}) as gateway, gateway.registry.client() as client:
        for _ in range(3):
            client.get("/oauth2/token", params={"service": "a"}, auth=("reader", "wrong"))
        answer = client.post("/sign-in", data={"username": "reader", "password": "wrong"}, headers=OWN)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "too many wrong secrets" in answer.text


def test_a_session_ends_with_its_secret(tmp_path: Path) -> None:
    """Within a second, and whatever the cookie says of its own end."""
    with live_gateway(tmp_path / "data") as gateway, gateway.registry.client() as client:
        client.post("/sign-in", data={"username": "reader", "password": gateway.secrets["reader"]}, headers=OWN)
        assert client.get("/").status_code == 200
        secrets = make_secrets(("password1",), 1, time.time())
        asyncio.run(gateway.registry.app.services.stores.metadata.write(rotate, "reader", secrets))
        assert client.get("/").status_code == 401


@pytest.mark.parametrize("end", [partial(enable, enabled=False), delete], ids=["disabled", "deleted"])
def test_a_session_ends_with_its_principal(tmp_path: Path, end: Callable[[Connection, str], object]) -> None:
    """At once, although the secret would be good for longer."""
    with live_gateway(tmp_path / "data") as gateway, gateway.registry.client() as client:
        client.post("/sign-in", data={"username": "reader", "password": gateway.secrets["reader"]}, headers=OWN)
        assert client.get("/").status_code == 200
        asyncio.run(gateway.registry.app.services.stores.metadata.write(lambda rows: end(rows, "reader")))
        assert client.get("/").status_code == 401


def test_the_cookie_is_good_for_pages_alone(live: LiveGateway, signed_in: SignedIn) -> None:
    """It is no token of the API."""
    cookie = signed_in("admin").cookies["basegate"]
    with live.registry.client(headers={"Authorization": f"Bearer {cookie}"}) as client:
        assert client.get("/v2/").status_code == 401
        form = {"grant_type": "refresh_token", "refresh_token": cookie, "service": "a"}
        assert client.post("/oauth2/token", data=form).status_code == 401


def test_a_token_of_the_api_is_no_session(live: LiveGateway) -> None:
    """A token with few scopes would see all."""
    with live.client("reader") as client:
        token = client.get("/oauth2/token", params={"service": "a"}).json()["token"]
    with live.registry.client(cookies={"basegate": token}) as client:
        assert client.get("/").status_code == 401


def test_signing_out(signed_in: SignedIn) -> None:
    """The browser forgets the cookie."""
    client = signed_in("reader")
    page = client.get("/").text
    token = page.partition('name="form" value="')[2].partition('"')[0]
    assert client.post("/sign-out", data={"form": token}, headers=OWN).headers["location"] == "/sign-in"
    assert client.get("/").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
    ],
    ids=str,
)
def test_a_form_of_another_site_changes_nothing(signed_in: SignedIn, headers: dict[str, str]) -> None:
    """Even with the right token."""
    client = signed_in("reader")
    token = client.get("/").text.partition('name="form" value="')[2].partition('"')[0]
    assert client.post("/sign-out", data={"form": token}, headers=headers).status_code == 403
    assert client.get("/").status_code == 200


def test_a_form_of_another_session_changes_nothing(signed_in: SignedIn) -> None:
    """A token is that of one session."""
    other = signed_in("admin").get("/").text.partition('name="form" value="')[2].partition('"')[0]
    assert signed_in("reader").post("/sign-out", data={"form": other}, headers=OWN).status_code == 403


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "http://evil.example", "/sign-out", ""])
def test_signing_in_leads_to_no_other_site(live: LiveGateway, target: str) -> None:
    """Whatever the form says to go on with."""
    with live.registry.client() as client:
        data = {"username": "reader", "password": live.secrets["reader"], "next": target}
        assert client.post("/sign-in", data=data, headers=OWN).headers["location"] == "/"


def test_another_site_cannot_sign_anybody_in(live: LiveGateway) -> None:
    """Somebody would work in a stranger's session without knowing."""
    with live.registry.client() as client:
        data = {"username": "reader", "password": live.secrets["reader"]}
        answer: httpx.Response = client.post("/sign-in", data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
