"""The tokens of a sign-in: for the endpoint, to refresh it, and the one that tells the client who signed in."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

from policy.azure.management.environment import AzureEnvironment
from registry.auth.sign_in import Identity
from registry.auth.token_service import TokenService
from registry.auth.tokens import PRINCIPAL, PRINCIPAL_REFRESH

_NO_SIGNATURE = {"alg": "none", "typ": "JWT"}


def service_reply(
    token_service: TokenService, environment: AzureEnvironment, identity: Identity, scope: str
) -> dict[str, Any]:
    """For a program that has the secret itself (RFC 6749 section 4.4.3): no refresh token."""
    token = token_service.whole(identity, PRINCIPAL, environment.settings.token_seconds, _claims(environment, identity))
    return {
        "token_type": "Bearer",
        "expires_in": token.expires_in,
        "ext_expires_in": token.expires_in,
        "access_token": token.text,
        "scope": scope,
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """What a program asked for.

    Attributes:
        client_id: the program.
        scope: what it wants a token for; it is repeated, and no more.
        nonce: comes back in the id token.
        refresh: the refresh token that it has already.
    """

    client_id: str
    scope: str
    nonce: str = ""
    refresh: str = ""


def person_reply(
    token_service: TokenService, environment: AzureEnvironment, identity: Identity, asked: Asked
) -> dict[str, Any]:
    """For a program that a person signed in to (OpenID Connect Core, section 3.1.3.3)."""
    claims = _claims(environment, identity)
    renewing = (
        asked.refresh or token_service.whole(identity, PRINCIPAL_REFRESH, environment.settings.session_seconds).text
    )
    return service_reply(token_service, environment, identity, asked.scope) | {
        "refresh_token": renewing,
        "id_token": _id_token(environment, claims, asked),
        "client_info": client_info(environment, identity),
    }


def client_info(environment: AzureEnvironment, identity: Identity) -> str:
    """Which account of which tenant this is, as MSAL keeps it."""
    return _base64({"uid": identity.principal.id, "utid": environment.settings.tenant})


def _claims(environment: AzureEnvironment, identity: Identity) -> dict[str, Any]:
    """What clients read out of tokens of Entra."""
    principal = identity.principal
    return {
        "tid": environment.settings.tenant,
        "oid": principal.id,
        "upn": principal.name,
        "preferred_username": principal.name,
        "unique_name": principal.name,
        "name": principal.name,
    }


def _id_token(environment: AzureEnvironment, claims: dict[str, Any], asked: Asked) -> str:
    """Unsigned: it comes over TLS from the one who says it (OpenID Connect Core, sections 2 and 3.1.3.7)."""
    now = int(time.time())
    own = {
        "iss": f"{environment.url}/adfs",
        "aud": asked.client_id,
        "sub": claims["oid"],
        "iat": now,
        "nbf": now - 300,
        "exp": now + environment.settings.token_seconds,
        **({"nonce": asked.nonce} if asked.nonce else {}),
    }
    return f"{_base64(_NO_SIGNATURE)}.{_base64(claims | own)}."


def _base64(document: dict[str, Any]) -> str:
    text = json.dumps(document, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode("ascii")
