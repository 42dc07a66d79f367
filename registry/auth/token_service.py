"""The token service: issues tokens for credentials (distribution's token specification, and its OAuth2 form)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.auth.credentials import NULL_GUID, Credentials, CredentialsMalformed, UserSecret, parse_authorization
from registry.auth.principals import Principal
from registry.auth.scopes import parse_scopes
from registry.auth.sign_in import Identity, SecretWrong, SignIn
from registry.auth.tokens import ACCESS, PRINCIPAL, REFRESH, IssuedToken, Tokens
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.oci.errors import BadRequest, Unauthorized
from registry.oci.timestamp import timestamp

_NOBODY = "sign in first: this token is for principals only, not for the anonymous caller"


@dataclass(frozen=True, slots=True)
class Handout:
    """The principal that got a token, and the response's JSON."""

    principal: Principal
    reply: dict[str, Any] = field(repr=False)


class TokenService:
    """Answers `/oauth2/token` and `/oauth2/exchange`."""

    def __init__(self, sign_in: SignIn, tokens: Tokens, settings: SettingsInForce[RegistrySettings]) -> None:
        self._sign_in = sign_in
        self._tokens = tokens
        self._settings = settings

    async def for_credentials(
        self, credentials: Credentials | None, address: str, scopes: Iterable[str], *, offline: bool = False
    ) -> Handout:
        """An access token for the permitted part of `scopes`, and a refresh token if `offline`.

        Raises:
            Unauthorized: wrong credentials.
            TooManyRequests: too many wrong ones.
        """
        identity = await self._identify(credentials, address)
        return self._reply(identity, scopes, refresh=self._refresh(identity) if offline else "")

    async def for_header(self, authorization: str | None, address: str, scopes: Iterable[str]) -> Handout:
        """`for_credentials` with an `Authorization` header; without one, for the anonymous caller.

        There is never a refresh token: docker would store it instead of the secret, in a file that it shares with
        podman and skopeo, which could then not sign in.

        Raises:
            Unauthorized: wrong credentials, or a header that cannot be read.
            TooManyRequests: too many wrong ones.
        """
        try:
            credentials = parse_authorization(authorization)
        except CredentialsMalformed as error:
            raise Unauthorized("the Authorization header cannot be read: send Basic with user:secret") from error
        return await self.for_credentials(credentials, address, scopes)

    async def for_form(self, form: Mapping[str, str], address: str, scopes: Iterable[str]) -> Handout:
        """The response to a POST form with `grant_type` password or refresh_token.

        Raises:
            Unauthorized: wrong credentials or token.
            BadRequest: a member is missing, or another grant type (400).
            TooManyRequests: too many wrong secrets.
        """
        kind = form.get("grant_type", "")
        if kind == "refresh_token":
            text = _needed(form, "refresh_token")
            identity = await self._sign_in.by_token(text, REFRESH)
            return self._reply(identity, scopes, refresh=text)
        if kind != "password":
            raise BadRequest(f"grant_type {kind[:64]!r} is not offered: use password or refresh_token")
        user, secret = form.get("username", ""), form.get("password", "")
        credentials = UserSecret(user, secret) if user or secret else None
        offline = form.get("access_type") == "offline"
        return await self.for_credentials(credentials, address, scopes, offline=offline)

    async def exchange(self, form: Mapping[str, str]) -> Handout:
        """A refresh token for a token that this registry issued (ACR's `/oauth2/exchange`); it ends no later.

        A token for a whole principal, as Entra's at Azure, gives one for all the principal's rights.

        Raises:
            Unauthorized: the token is not ours or has expired.
            BadRequest: a member is missing, or another grant type (400).
        """
        kind = form.get("grant_type", "")
        members = {"access_token": "access_token", "refresh_token": "refresh_token"}
        members["access_token_refresh_token"] = "access_token"  # noqa: S105
        if kind not in members:
            raise BadRequest(f"grant_type {kind[:64]!r} is not offered: use access_token")
        identity = await self._sign_in.by_token(_needed(form, members[kind]), ACCESS, REFRESH, PRINCIPAL)
        if identity.principal.is_anonymous:
            raise Unauthorized(_NOBODY)
        return Handout(identity.principal, {"refresh_token": self._refresh(identity)})

    async def by_secret(self, username: str, secret: str, address: str) -> Identity:
        """The identity of a secret, for routes of an extension.

        Raises:
            Unauthorized: it is wrong.
            TooManyRequests: too many wrong ones.
        """
        if username == NULL_GUID:  # a token used as a secret would grant more than it says
            raise SecretWrong(username)
        return await self._sign_in.identify(UserSecret(username, secret), address)

    async def by_whole_token(self, text: str, kind: str) -> Identity:
        """The identity of a token of `whole`, with the principal's current rights.

        Raises:
            Unauthorized: it is of another kind, has expired, or its principal or secret was removed.
        """
        return await self._sign_in.by_token(text, kind)

    def whole(self, identity: Identity, kind: str, seconds: float, claims: dict[str, Any] | None = None) -> IssuedToken:
        """A token for a whole principal (`Tokens.whole`).

        Raises:
            Unauthorized: the identity is anonymous, or came with a narrower token.
        """
        if identity.origin is None or identity.claims is not None:
            raise Unauthorized(_NOBODY)
        return self._tokens.whole(identity.principal, identity.origin, kind, seconds, claims)

    def narrow(self, identity: Identity, scopes: Iterable[str]) -> str:
        """An access token for the permitted part of `scopes`, for another program."""
        return str(self._reply(identity, scopes, refresh="").reply["access_token"])

    async def _identify(self, credentials: Credentials | None, address: str) -> Identity:
        if credentials is None:
            return self._sign_in.nobody()
        return await self._sign_in.identify(credentials, address)

    def _refresh(self, identity: Identity) -> str:
        # A narrow token yields a refresh token as narrow: its holder cannot widen it.
        if identity.origin is None:
            return ""
        return self._tokens.refresh(identity.principal, identity.origin, identity.claims).text

    def _reply(self, identity: Identity, scopes: Iterable[str], refresh: str) -> Handout:
        granted = identity.grant(parse_scopes(scopes))
        token = self._tokens.access(identity.principal, granted, identity.origin)
        reply = {
            "token": token.text,
            "access_token": token.text,
            "expires_in": token.expires_in,
            "issued_at": timestamp(token.issued),
            "scope": " ".join(map(str, granted)),
        }
        return Handout(identity.principal, reply | {"refresh_token": refresh} if refresh else reply)


def _needed(form: Mapping[str, str], member: str) -> str:
    text = form.get(member, "")
    if not text:
        raise BadRequest(f"the form has no {member}: send one")
    return text
