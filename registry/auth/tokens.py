"""Tokens: ES256 JWTs with the claims of Azure Container Registry (access, refresh, and the anonymous access token).

No claim has `~`, `?` or `>`: the Azure SDK decodes tokens with the wrong base64 alphabet and fails on them.
"""

import math
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from registry.auth.actions import GRANTS, Action
from registry.auth.origin import Origin
from registry.auth.principals import Principal
from registry.auth.scopes import CATALOG_SCOPE, DELETED_CATALOG_SCOPE, REPOSITORY, Scope
from registry.auth.signing_key import SigningKey
from registry.caches import Recent
from registry.config.settings import RegistrySettings, SettingsInForce

ACCESS = "access_token"
REFRESH = "refresh_token"
PRINCIPAL = "principal_token"
"""Stands for a whole principal at doors of a package on top; `/oauth2/exchange` takes it, content does not."""
PRINCIPAL_REFRESH = "principal_refresh_token"
"""Brings another token of that kind, and nothing else."""
ANONYMOUS_SUBJECT = "acr_anon_pull"
_ALGORITHM = "ES256"
_BACKDATED_SECONDS = 900  # as ACR does: accepts clients with a slow clock
_TOKEN_MAXIMUM = 65_536
_SECRET = "secret_id"  # noqa: S105 - the claim's name
_FOREIGN = "the token is not one of this registry: sign in again"


class TokenRefused(Exception):
    """The text is not a token of this registry, or not of the kind that is needed."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token for a client: its text, its lifetime in seconds, and when it was issued (seconds since the epoch)."""

    text: str
    expires_in: int
    issued: float


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token of this registry.

    Attributes:
        subject: a principal's id; "" for the anonymous caller.
        kind: `access_token` or `refresh_token`.
        expires: seconds since the epoch.
        secret: names the secret that it was issued for (`Origin.secret`); "" for the anonymous caller.
        narrow: whether it grants only what follows; else all rights of the principal.
        access: the unparsed `access` claim.
        repositories: granted actions by repository name.
        catalog: whether the catalog may be read.
        deleted_catalog: whether the catalog of deleted content may be read.
    """

    subject: str
    kind: str
    expires: float
    secret: str
    narrow: bool
    access: list[dict[str, Any]]
    repositories: dict[str, frozenset[str]]
    catalog: bool
    deleted_catalog: bool = False

    @property
    def origin(self) -> Origin | None:
        """The origin of tokens that are issued for this one; `None` for the anonymous caller."""
        return Origin(self.secret, self.expires, first=False) if self.subject else None


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

    def access(self, principal: Principal, scopes: Iterable[Scope], origin: Origin | None) -> IssuedToken:
        """An access token for granted scopes; it expires with its origin at the latest."""
        auth = self._settings.current.auth
        seconds = auth.anonymous_token_seconds if principal.is_anonymous else auth.access_token_seconds
        claims = {"version": "1.0" if principal.is_anonymous else "2.0", "access": [s.as_claim() for s in scopes]}
        return self._issue(principal, ACCESS, seconds, claims, origin)

    def refresh(self, principal: Principal, origin: Origin, narrow: Claims | None = None) -> IssuedToken:
        """A refresh token; one for a narrow token is as narrow.

        For a secret it lives as long as the secret; for a token, for its own time, but no longer than the token.
        """
        actions = [word for word, action in _PERMISSIONS if principal.role and action in GRANTS[principal.role]]
        claims: dict[str, Any] = {"version": "1.0", "permissions": {"Actions": actions, "NotActions": None}}
        if narrow is not None:
            claims["access"] = narrow.access
        seconds = math.inf if origin.first else self._settings.current.auth.refresh_token_seconds
        return self._issue(principal, REFRESH, seconds, claims, origin)

    def whole(
        self, principal: Principal, origin: Origin, kind: str, seconds: float, claims: dict[str, Any] | None = None
    ) -> IssuedToken:
        """A token for all rights of the principal; it expires with its origin at the latest.

        Args:
            principal: the caller.
            origin: what it signed in with.
            kind: `PRINCIPAL` or `PRINCIPAL_REFRESH`.
            seconds: its lifetime.
            claims: further claims for clients.
        """
        return self._issue(principal, kind, seconds, {"version": "1.0", **(claims or {})}, origin)

    def read(self, text: str, *kinds: str, grace: float = 0.0) -> Claims:
        """The claims of a token of this registry, of one of the kinds, that expired at most `grace` seconds ago.

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
        """The claims of an access token that was verified before and has not expired."""
        claims = self._read.get(text)
        return claims if claims is not None and claims.kind == ACCESS and claims.expires > self._clock() else None

    def _issue(
        self, principal: Principal, kind: str, seconds: float, members: dict[str, Any], origin: Origin | None
    ) -> IssuedToken:
        """Sign a token that expires after so many seconds, or with its origin if that is sooner."""
        now = int(self._clock())
        ends = int(min(now + seconds, math.inf if origin is None else origin.ends))
        claims = {
            "jti": str(uuid.uuid4()),
            "sub": principal.id or ANONYMOUS_SUBJECT,
            "nbf": now - _BACKDATED_SECONDS,
            "exp": ends,
            "iat": now - _BACKDATED_SECONDS,
            "iss": self._issuer,
            "aud": self._issuer,
            "rid": uuid.uuid4().hex,
            "grant_type": kind,
            "appid": principal.id,
            "roles": [],
        }
        if origin is not None:
            claims[_SECRET] = origin.secret
        import jwt  # noqa: PLC0415 - slow to import, and no part of the first answer

        text = jwt.encode(claims | members, self._key.private, _ALGORITHM, headers={"kid": self._key.kid})
        return IssuedToken(text, max(0, ends - now), now)

    def _verify(self, text: str) -> Claims:
        if len(text) > _TOKEN_MAXIMUM:
            raise TokenRefused("the token is too long to be one of this registry")
        import jwt  # noqa: PLC0415 - as in `_issue`

        try:
            whole = jwt.decode_complete(
                text,
                self._public,
                [_ALGORITHM],
                audience=self._issuer,
                issuer=self._issuer,
                # `read` checks `exp`, with a grace for uploads; `nbf` was before we signed.
                options={
                    "require": ["exp", "iat", "sub", "grant_type"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise TokenRefused(_FOREIGN) from error
        if whole["header"].get("kid") != self._key.kid:
            raise TokenRefused(_FOREIGN)
        return _claims(whole["payload"])


def _claims(payload: dict[str, Any]) -> Claims:
    """The claims of a verified payload: this registry wrote it, so its form is known."""
    narrow = "access" in payload
    access = payload.get("access", [])
    repositories = {each["name"]: frozenset(each["actions"]) for each in access if each["type"] == REPOSITORY}
    subject = "" if payload["sub"] == ANONYMOUS_SUBJECT else payload["sub"]
    catalog, deleted = (scope.as_claim() in access for scope in (CATALOG_SCOPE, DELETED_CATALOG_SCOPE))
    secret = payload.get(_SECRET, "")
    if subject and not secret:
        raise TokenRefused("the token is of an earlier version of this registry: sign in again")
    ends, kind = float(payload["exp"]), payload["grant_type"]
    return Claims(subject, kind, ends, secret, narrow, access, repositories, catalog, deleted)
