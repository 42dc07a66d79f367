"""The token endpoint: a secret, a device code, a browser's code or a refresh token in, tokens out."""

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from policy.azure.arm_errors import SignInError
from policy.azure.management.environment import AzureEnvironment
from policy.azure.management.sign_in.tokens import Asked, person_reply, service_reply
from policy.azure.management.sign_in.under_way import UnderWay
from registry.auth.sign_in import Identity
from registry.auth.token_service import TokenService
from registry.auth.tokens import PRINCIPAL_REFRESH
from registry.oci.errors import TooManyRequests, Unauthorized

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_VERIFIER_MAXIMUM = 128

Form = Mapping[str, str]


class TokenEndpoint:
    """Answers `POST …/oauth2/token`. Every refusal is a `SignInError`."""

    def __init__(self, token_service: TokenService, under_way: UnderWay) -> None:
        self._token_service = token_service
        self._under_way = under_way

    async def answer(self, form: Form, environment: AzureEnvironment, address: str) -> tuple[Identity, dict[str, Any]]:
        """Who signed in, and the reply (RFC 6749 section 5.1).

        Raises:
            SignInError: anything in the form is missing or wrong.
        """
        kind = form.get("grant_type", "")
        if kind == "client_credentials":
            return await self._by_secret(form, environment, address)
        if kind == "refresh_token":
            return await self._by_refresh(form, environment)
        if kind == "authorization_code":
            return self._by_code(form, environment)
        if kind == DEVICE_GRANT:
            return self._by_device(form, environment)
        offered = f"client_credentials, authorization_code, refresh_token or {DEVICE_GRANT}"
        raise SignInError("unsupported_grant_type", f"grant_type {kind[:64]!r} is not offered: use {offered}")

    async def _by_secret(
        self, form: Form, environment: AzureEnvironment, address: str
    ) -> tuple[Identity, dict[str, Any]]:
        client, secret = _needed(form, "client_id"), form.get("client_secret", "")
        if not secret:
            message = "AADSTS7000216: the form has no client_secret: certificates and other proofs are not offered"
            raise SignInError("invalid_client", message, 401)
        identity = await signed_in(self._token_service, client, secret, address)
        return identity, service_reply(self._token_service, environment, identity, form.get("scope", ""))

    async def _by_refresh(self, form: Form, environment: AzureEnvironment) -> tuple[Identity, dict[str, Any]]:
        text = _needed(form, "refresh_token")
        try:
            identity = await self._token_service.by_whole_token(text, PRINCIPAL_REFRESH)
        except Unauthorized as error:
            raise SignInError("invalid_grant", f"AADSTS700082: {error.message}") from error
        asked = Asked(_needed(form, "client_id"), form.get("scope", ""), refresh=text)
        reply = person_reply(self._token_service, environment, identity, asked)
        return identity, reply

    def _by_code(self, form: Form, environment: AzureEnvironment) -> tuple[Identity, dict[str, Any]]:
        grant = self._under_way.redeem(_needed(form, "code"))
        if grant is None:
            raise SignInError(
                "invalid_grant", "AADSTS54005: the code is not known, was used or has expired: sign in again"
            )
        if form.get("client_id") != grant.client_id or form.get("redirect_uri") != grant.redirect_uri:
            raise SignInError("invalid_grant", "AADSTS700005: the code was made for another client or address")
        if not _proves(form.get("code_verifier", ""), grant.challenge):
            raise SignInError("invalid_grant", "AADSTS501481: code_verifier does not fit the code_challenge")
        asked = Asked(grant.client_id, form.get("scope") or grant.scope, grant.nonce)
        return grant.identity, person_reply(self._token_service, environment, grant.identity, asked)

    def _by_device(self, form: Form, environment: AzureEnvironment) -> tuple[Identity, dict[str, Any]]:
        device = self._under_way.device(form.get("device_code") or _needed(form, "code"))
        if device is None or device.client_id != form.get("client_id"):
            raise SignInError(
                "expired_token", "AADSTS70020: the device code is not known or has expired: sign in again"
            )
        if device.identity is None:
            raise SignInError("authorization_pending", "AADSTS70016: nobody has signed in with the code yet")
        self._under_way.end(device)
        reply = person_reply(self._token_service, environment, device.identity, Asked(device.client_id, device.scope))
        return device.identity, reply


async def signed_in(token_service: TokenService, username: str, secret: str, address: str) -> Identity:
    """Whose secret this is.

    Raises:
        SignInError: nobody's; or too many wrong ones came.
    """
    try:
        return await token_service.by_secret(username, secret, address)
    except Unauthorized as error:
        told = SignInError("invalid_client", f"AADSTS7000215: {error.message}", 401)
        raise told from error
    except TooManyRequests as error:
        busy = SignInError("temporarily_unavailable", f"AADSTS50196: {error.message}", 429)
        busy.headers.update(error.headers)
        raise busy from error


def _proves(verifier: str, challenge: str) -> bool:
    """RFC 7636 section 4.6, method S256."""
    if not 0 < len(verifier) <= _VERIFIER_MAXIMUM or not verifier.isascii():
        return False
    made = base64.urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode("ascii", "replace"))


def _needed(form: Form, member: str) -> str:
    text = form.get(member, "")
    if not text:
        raise SignInError("invalid_request", f"AADSTS900144: the form has no {member}: send one")
    return text
