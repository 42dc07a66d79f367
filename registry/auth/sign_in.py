"""Sign-in: credentials become an identity, or an error that says what to do."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from registry.auth.actions import GRANTS, SCANNERS, SCANNING, Action
from registry.auth.credentials import NULL_GUID, BearerToken, Credentials, UserSecret
from registry.auth.origin import Origin
from registry.auth.principal_cache import Directory
from registry.auth.principals import Principal, anonymous, everybody
from registry.auth.scopes import CATALOG, REGISTRY, Scope, grant
from registry.auth.secret_verifier import SecretCheck
from registry.auth.throttle import Throttle
from registry.auth.tokens import ACCESS, REFRESH, Claims, TokenRefused, Tokens
from registry.auth.turns import Turns
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.oci.errors import Unauthorized
from registry.oci.names import RepositoryName


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller and the limits of its token.

    Attributes:
        principal: with its current rights.
        claims: of its narrow token; `None` when only the role limits it.
        origin: what it signed in with; `None` for the anonymous caller.
    """

    principal: Principal
    claims: Claims | None = None
    origin: Origin | None = None

    def may(self, action: Action, repository: RepositoryName) -> bool:
        """Whether both the role and, where there is one, the token grant the action."""
        return self.principal.may(action, repository) and self.token_covers(action, repository)

    def token_covers(self, action: Action, repository: RepositoryName) -> bool:
        """Whether the token, if any, grants the action; pull includes reading metadata, as in ACR."""
        if self.claims is None:
            return True
        granted = self.claims.repositories.get(repository, frozenset())
        return action in granted or (action is Action.METADATA_READ and Action.PULL in granted)

    def grant(self, asked: Iterable[Scope]) -> tuple[Scope, ...]:
        """The part of the scopes that both the role and the token, if any, grant."""
        return tuple(scope for scope in map(self._within_token, grant(self.principal, asked)) if scope.actions)

    def may_list(self) -> bool:
        """Whether the catalog may be read."""
        return self.principal.may_anything and (self.claims is None or self.claims.catalog)

    def may_list_deleted(self) -> bool:
        """Whether the catalog of deleted content may be read."""
        return self.principal.may_see_deleted and (self.claims is None or self.claims.deleted_catalog)

    def _within_token(self, scope: Scope) -> Scope:
        if self.claims is None:
            return scope
        if scope.kind == REGISTRY:
            covered = self.claims.catalog if scope.name == CATALOG else self.claims.deleted_catalog
            return Scope(scope.kind, scope.name, scope.actions if covered else ())
        granted = self.claims.repositories.get(scope.name, frozenset())
        return Scope(scope.kind, scope.name, tuple(action for action in scope.actions if action in granted))


class SecretWrong(Unauthorized):
    """A wrong user name or secret; `username` is what was tried, for the audit."""

    def __init__(self, username: str) -> None:
        super().__init__(
            "the user name or the secret is wrong, or the secret has expired: check both, or ask an owner of the "
            "registry for a new secret",
            headers={"WWW-Authenticate": 'Basic realm="basegate"'},  # elsewhere: the challenge
        )
        self.username = username


class TokenInvalid(Unauthorized):
    """An invalid token was presented; the challenge says `error="invalid_token"`."""


class SignIn:
    """Establishes the caller."""

    def __init__(
        self,
        directory: Directory,
        secrets: SecretCheck,
        tokens: Tokens,
        throttle: Throttle,
        settings: SettingsInForce[RegistrySettings],
    ) -> None:
        self._directory = directory
        self._secrets = secrets
        self._tokens = tokens
        self._throttle = throttle
        self._settings = settings
        auth = settings.current.auth
        self._turns = Turns(auth.hashing_threads, lambda: settings.current.auth.hashing_waiting)

    def nobody(self) -> Identity:
        """The caller without credentials: the owner where nobody has to sign in, else anonymous."""
        auth = self._settings.current.auth
        if not auth.required:
            return Identity(everybody())
        return Identity(anonymous(may_pull=auth.anonymous_pull))

    def recall(self, credentials: Credentials) -> Identity | None:
        """The identity, if it is known without hashing, verifying a signature or reading the database."""
        if isinstance(credentials, BearerToken):
            claims = self._tokens.recall(credentials.text)
            if claims is None:
                return None
            if not claims.subject:
                return Identity(self.nobody().principal, claims)
            account = self._directory.recall(claims.subject)
            if account is None or not account.holds(claims.secret, self._directory.now()):
                return None
            return Identity(account.principal, claims, claims.origin)
        account = self._directory.recall(credentials.username)
        match = account and self._secrets.recall(credentials.secret, account.hashes(self._directory.now()))
        return Identity(account.principal, None, account.origins[match]) if account and match else None

    async def identify(self, credentials: Credentials, address: str, grace: float = 0.0) -> Identity:
        """The identity of credentials; a token may have expired `grace` seconds ago.

        Raises:
            Unauthorized: wrong user name or secret, or a principal that may not sign in.
            TokenInvalid: a token of another registry, expired, or of a removed principal or secret.
            TooManyRequests: too many wrong secrets, or too many at once.
        """
        recalled = self.recall(credentials)
        if recalled is not None:
            return recalled
        if isinstance(credentials, BearerToken):
            return await self._by_token(credentials.text, grace, ACCESS)
        if credentials.username == NULL_GUID:
            return await self._by_token(credentials.secret, grace, ACCESS, REFRESH)
        return await self._by_secret(credentials, address)

    async def is_still(self, identity: Identity) -> bool:
        """Whether an identity has the same rights now, and what it signed in with has not ended."""
        now, claims, origin = self._directory.now(), identity.claims, identity.origin
        if (claims is not None and claims.expires <= now) or (origin is not None and origin.ends <= now):
            return False
        if origin is None:
            return self.nobody().principal == identity.principal
        account = await self._directory.find(identity.principal.id)
        return account is not None and account.principal == identity.principal and account.holds(origin.secret, now)

    async def by_token(self, text: str, *kinds: str) -> Identity:
        """The identity of a token of one of the kinds, sent in a form.

        Raises:
            TokenInvalid: it is not valid.
        """
        return await self._by_token(text, 0.0, *kinds)

    async def _by_token(self, text: str, grace: float, *kinds: str) -> Identity:
        try:
            claims = self._tokens.read(text, *kinds, grace=grace)
        except TokenRefused as refusal:
            raise TokenInvalid(str(refusal)) from refusal
        narrowing = claims if claims.narrow else None
        if not claims.subject:
            return Identity(self.nobody().principal, narrowing)
        account = await self._directory.find(claims.subject)
        if account is None:
            raise TokenInvalid("the principal of this token may not sign in any more: ask an owner of the registry")
        if not account.holds(claims.secret, self._directory.now()):
            # No grace here: when a secret ends, so do all its tokens.
            raise TokenInvalid("the secret that this token was got with was renewed or has expired: sign in again")
        return Identity(account.principal, narrowing, claims.origin)

    async def _by_secret(self, credentials: UserSecret, address: str) -> Identity:
        username, secret = credentials.username, credentials.secret
        with self._throttle.attempt(username, secret, address):
            async with self._turns.wait(address, username):
                account = await self._directory.find(username)
                hashes = account.hashes(self._directory.now()) if account else []
                match = await self._secrets.find(username, secret, hashes)
            if account and match:
                self._throttle.succeeded(username, address)
                return Identity(account.principal, None, account.origins[match])
            delay = self._throttle.failed(username, address)
        await asyncio.sleep(delay)
        raise SecretWrong(username)


def roles_that_may(action: Action) -> str:
    """The roles that grant an action, for a sentence: `AcrPush or Owner`; scanner roles for what only they may do."""
    granting = [role for role, actions in GRANTS.items() if action in actions]
    others = [role for role in granting if role not in SCANNERS]
    return " or ".join(role.value for role in (granting if action in SCANNING else others))
