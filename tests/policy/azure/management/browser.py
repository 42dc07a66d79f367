"""A person with a browser: reads the form of a page, fills it in and sends it."""

import base64
import re
import secrets
from hashlib import sha256
from html import unescape
from urllib.parse import urlencode

import httpx

from tests.policy.azure.endpoint import LiveEndpoint

REDIRECT = "http://localhost:8400"
_INPUT = re.compile(r"<input([^>]*)>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


def fields_of(page: str) -> dict[str, str]:
    """Names and values of all inputs."""
    inputs = [dict(_ATTRIBUTE.findall(each)) for each in _INPUT.findall(page)]
    return {each["name"]: unescape(each.get("value", "")) for each in inputs}


def fill_in(endpoint: LiveEndpoint, address: str, **values: str) -> httpx.Response:
    """Open a page, fill the form in, and send it back."""
    with endpoint.client() as client:
        page = client.get(address).raise_for_status()
        return client.post(address, data=fields_of(page.text) | values)


class Program:
    """A program that opens a browser to have somebody sign in, as az does."""

    def __init__(self) -> None:
        self.verifier = secrets.token_urlsafe(48)
        digest = sha256(self.verifier.encode()).digest()
        self.challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def address(self, **more: str) -> str:
        """What it opens."""
        asked = {
            "client_id": "az",
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": "https://localhost/.default offline_access",
            "state": "state-1",
            "response_mode": "form_post",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            "nonce": "nonce-1",
        }
        return f"/adfs/oauth2/authorize?{urlencode(asked | more)}"

    def redeem(self, endpoint: LiveEndpoint, code: str, **more: str) -> httpx.Response:
        """Ask for tokens with the code that came back."""
        form = {
            "grant_type": "authorization_code",
            "client_id": "az",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": self.verifier,
        }
        with endpoint.client() as client:
            return client.post("/adfs/oauth2/token", data=form | more)
