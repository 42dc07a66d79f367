"""Tokens: ES256 JWTs with the claims of Azure Container Registry (access, refresh, and the anonymous access token).

No claim holds `~`, `?` or `>`: the Azure SDK decodes tokens with the wrong base64 alphabet and fails on them.
"""

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from registry.auth.actions import GRANTS, Action
from registry.auth.principals import Principal
from registry.auth.recent import Recent
from registry.auth.scopes import CATALOG_SCOPE, REPOSITORY, Scope
from registry.auth.signing_key import SigningKey
from registry.settings import RegistrySettings, SettingsInForce

ACCESS = "access_token"
REFRESH = "refresh_token"
ANONYMOUS_SUBJECT = "acr_anon_pull"
_ALGORITHM = "ES256"
_BACKDATED_SECONDS = 900  # as ACR: clients with a slow clock are not turned away
_TOKEN_MAXIMUM = 65_536


class TokenRefused(Exception):
    """The text is not a token of this registry of the kind that is needed."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token for a client: its text, its life in seconds, and when it was made (seconds since the epoch)."""

    text: str
    expires_in: int
    issued: float


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of this registry says.

    Attributes:
        subject: a principal's id; "" for the anonymous caller.
        kind: `access_token` or `refresh_token`.
        expires: seconds since the epoch.
        narrow: whether it grants only what follows; else all that the principal may.
        access: the `access` claim as it stands.
        repositories: granted actions by repository name.
        catalog: whether the catalog may be read.
    """

    subject: str
    kind: str
    expires: float
    narrow: bool
    access: list[dict[str, Any]]
    repositories: dict[str, frozenset[str]]
    catalog: bool


_PERMISSIONS = (("read", Action.PULL), ("write", Action.PUSH), ("delete", Action.DELETE))


class Tokens:
    """Makes and reads tokens."""

    def __init__(
        self,
        key: SigningKey,
        settings: SettingsInForce[RegistrySettings],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._public = key.private.public_key()
        self._settings = settings
        self._clock = clock
        auth = settings.current.auth
        self._issuer = auth.issuer
        self._read: Recent[str, Claims] = Recent(auth.verified_entries, auth.verified_seconds)

    def access(self, principal: Principal, scopes: Iterable[Scope]) -> IssuedToken:
        """An access token for scopes that were granted already."""
        auth = self._settings.current.auth
        seconds = auth.anonymous_token_seconds if principal.is_anonymous else auth.access_token_seconds
        claims = {"version": "1.0" if principal.is_anonymous else "2.0", "access": [s.as_claim() for s in scopes]}
        return self._issue(principal, ACCESS, seconds, claims)

    def refresh(self, principal: Principal, narrow: Claims | None = None) -> IssuedToken:
        """A refresh token; got with a narrow token it stays as narrow."""
        actions = [word for word, action in _PERMISSIONS if principal.role and action in GRANTS[principal.role]]
        claims: dict[str, Any] = {"version": "1.0", "permissions": {"Actions": actions, "NotActions": None}}
        if narrow is not None:
            claims["access"] = narrow.access
        return self._issue(principal, REFRESH, self._settings.current.auth.refresh_token_seconds, claims)

    def read(self, text: str, *kinds: str, grace: float = 0.0) -> Claims:
        """What a token says, when it is ours, of one of the kinds, and ended no longer than `grace` seconds ago.

        Raises:
            TokenRefused: otherwise; the message says why.
        """
        claims = self._read.get(text)
        if claims is None:
            claims = self._verify(text)
            self._read.put(text, claims)
        if claims.kind not in kinds:
            raise TokenRefused(f"the token is of the kind {claims.kind}, needs {' or '.join(kinds)}")
        if claims.expires + grace <= self._clock():
            raise TokenRefused("the token has expired: sign in again")
        return claims

    def recall(self, text: str) -> Claims | None:
        """What an access token says that was read before and has not expired, without checking its signature again."""
        claims = self._read.get(text)
        return claims if claims is not None and claims.kind == ACCESS and claims.expires > self._clock() else None

    def _issue(self, principal: Principal, kind: str, seconds: int, more: dict[str, Any]) -> IssuedToken:
        now = int(self._clock())
        claims = {
            "jti": str(uuid.uuid4()),
            "sub": principal.id or ANONYMOUS_SUBJECT,
            "nbf": now - _BACKDATED_SECONDS,
            "exp": now + seconds,
            "iat": now - _BACKDATED_SECONDS,
            "iss": self._issuer,
            "aud": self._issuer,
            "rid": uuid.uuid4().hex,
            "grant_type": kind,
            "appid": principal.id,
            "roles": [],
        }
        import jwt  # noqa: PLC0415 - slow to import, and no part of the first answer

        text = jwt.encode(claims | more, self._key.private, _ALGORITHM, headers={"kid": self._key.kid})
        return IssuedToken(text, seconds, now)

    def _verify(self, text: str) -> Claims:
        if len(text) > _TOKEN_MAXIMUM:
            raise TokenRefused("the token is too long to be one of this registry")
        import jwt  # noqa: PLC0415 - as in `_issue`

        try:
            payload = jwt.decode(
                text,
                self._public,
                [_ALGORITHM],
                audience=self._issuer,
                issuer=self._issuer,
                # The end is compared by `read`, with a grace for running uploads.
                options={"require": ["exp", "iat", "sub", "grant_type"], "verify_exp": False},
            )
        except jwt.InvalidTokenError as error:
            raise TokenRefused("the token is not one of this registry: sign in again") from error
        return _claims(payload)


def _claims(payload: dict[str, Any]) -> Claims:
    """The claims of a payload whose signature holds: this registry wrote it, so its form is known."""
    narrow = "access" in payload
    access = payload.get("access", [])
    repositories = {each["name"]: frozenset(each["actions"]) for each in access if each["type"] == REPOSITORY}
    subject = "" if payload["sub"] == ANONYMOUS_SUBJECT else payload["sub"]
    catalog = CATALOG_SCOPE.as_claim() in access
    return Claims(subject, payload["grant_type"], float(payload["exp"]), narrow, access, repositories, catalog)
