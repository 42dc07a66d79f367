"""Access control: authorises requests, and raises 401 or 403 for a route."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial

from starlette.requests import HTTPConnection

from registry.auth.actions import Action
from registry.auth.challenge import INSUFFICIENT_SCOPE, INVALID_TOKEN, challenger
from registry.auth.credentials import Credentials, CredentialsMalformed, parse_authorization
from registry.auth.principals import Principal
from registry.auth.scopes import CATALOG_SCOPE, DELETED_CATALOG_SCOPE, Scope, repository_scope
from registry.auth.sign_in import Identity, SignIn, TokenInvalid, roles_that_may
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.oci.errors import Denied, OciError, Unauthorized
from registry.oci.names import RepositoryName

_IDENTITY = "basegate.identity"
_MALFORMED = "the Authorization header cannot be read: send Basic with user:secret, or Bearer with a token"
_MISSING = "authentication required: sign in with a principal's name or id and one of its secrets"

# Push needs pull: clients check for blobs before they send them (distribution's access records).
_INCLUDED = {Action.PUSH: (Action.PULL, Action.PUSH)}

SessionOwner = Callable[[], Awaitable[str]]
"""Gives the id of the principal that started the upload session a request belongs to."""


class Access:
    """Authorises every route; puts the caller into the request's scope, refused or not."""

    def __init__(self, sign_in: SignIn, settings: SettingsInForce[RegistrySettings]) -> None:
        self._sign_in = sign_in
        self._settings = settings

    async def require(
        self,
        request: HTTPConnection,
        repository: RepositoryName,
        action: Action,
        *,
        also: Iterable[RepositoryName] = (),
        session: SessionOwner | None = None,
    ) -> Principal:
        """The principal, if it may do this to the repository.

        Args:
            request: has the `Authorization` header.
            repository: the one in the path.
            action: what the route does; PUSH needs PULL as well.
            also: repositories that the client should be able to pull from (a mount's source): in the challenge, but not
                required.
            session: for requests within an upload session, the principal that opened it; its token is valid for
                `auth.session_grace_seconds` after it expired.

        Raises:
            Unauthorized: with a challenge: no credentials, wrong ones, or a token that is too narrow.
            Denied: the caller used a secret, and its role does not grant this.
            TooManyRequests: too many wrong secrets.
        """
        actions = _INCLUDED.get(action, (action,))
        scopes = _wanted(repository, actions, also)
        identity = await self._identify(request, scopes, session)
        if all(identity.may(each, repository) for each in actions):
            return identity.principal
        raise self._refusal(request, identity, tuple(scopes), _sentence(identity, repository, actions))

    async def require_catalog(self, request: HTTPConnection, *, deleted: bool = False) -> Principal:
        """The principal, if it may list repositories, or those with deleted content.

        Its role decides which ones it sees.
        """
        scope = DELETED_CATALOG_SCOPE if deleted else CATALOG_SCOPE
        identity = await self._identify(request, (scope,))
        if identity.may_list_deleted() if deleted else identity.may_list():
            return identity.principal
        listed = "what was deleted" if deleted else "repositories with this token"
        raise self._refusal(request, identity, (scope,), f"{_who(identity.principal)} may not list {listed}")

    async def identify(self, request: HTTPConnection, scopes: Sequence[Scope] = ()) -> Principal:
        """The principal that has signed in, for routes that need no more (`/v2/`); a challenge names the scopes.

        Without credentials this is 401 even with anonymous pull: Azure's clients look for the challenge. The anonymous
        caller's token gives 401 too.
        """
        identity = await self._identify(request, scopes)
        if self._must_sign_in(identity):
            raise self._challenged(request, Unauthorized(_MISSING), scopes)
        return identity.principal

    async def require_owner(self, request: HTTPConnection) -> Principal:
        """The principal, if it is an owner of all repositories, and has come with no token that grants less.

        Raises:
            Unauthorized: with a challenge: no credentials, wrong ones, or a narrow token.
            Denied: it is no such owner.
        """
        identity = await self._identify(request, ())
        if identity.principal.owns_registry and identity.claims is None:
            return identity.principal
        sentence = f"{_who(identity.principal)} may not manage this registry: needs role Owner for all repositories"
        raise self._refusal(request, identity, (), sentence)

    def recall(self, authorization: str | None, repository: RepositoryName, action: Action) -> Principal | None:
        """The principal that `require` would return, if that is known without waiting; for fast paths."""
        identity = self._recall(authorization)
        if identity is None or not all(identity.may(a, repository) for a in _INCLUDED.get(action, (action,))):
            return None
        return identity.principal

    def recall_caller(self, authorization: str | None) -> Principal | None:
        """The principal that `identify` would return, if that is known without waiting; for fast paths."""
        identity = self._recall(authorization)
        return None if identity is None or self._must_sign_in(identity) else identity.principal

    def recall_lister(self, authorization: str | None) -> Principal | None:
        """The principal that `require_catalog` would return, if that is known without waiting; for fast paths."""
        identity = self._recall(authorization)
        return None if identity is None or not identity.may_list() else identity.principal

    def readable(self, request: HTTPConnection, principal: Principal) -> Callable[[RepositoryName], bool]:
        """The repositories that this request may pull from, by role and token."""
        return partial(self.permits, request, principal, Action.PULL)

    def permits(
        self, request: HTTPConnection, principal: Principal, action: Action, repository: RepositoryName
    ) -> bool:
        """Whether this request may do something to a repository, its token considered."""
        identity: Identity = request.scope.get(_IDENTITY) or Identity(principal)
        return identity.may(action, repository)

    def require_known(
        self, request: HTTPConnection, principal: Principal, repository: RepositoryName, action: Action
    ) -> None:
        """`require` for a caller that has been identified. Raises Unauthorized or Denied."""
        actions = _INCLUDED.get(action, (action,))
        identity: Identity = request.scope.get(_IDENTITY) or Identity(principal)
        if not all(identity.may(each, repository) for each in actions):
            scopes = tuple(_wanted(repository, actions, ()))
            raise self._refusal(request, identity, scopes, _sentence(identity, repository, actions))

    def adopt(self, request: HTTPConnection, identity: Identity) -> Principal:
        """Make this the caller of the request: an extension has established it from a token of its own."""
        request.scope[_IDENTITY] = identity
        return identity.principal

    def is_narrowed(self, request: HTTPConnection) -> bool:
        """Whether the caller came with a token that grants less than its role; for what no scope stands for."""
        identity: Identity | None = request.scope.get(_IDENTITY)
        return identity is not None and identity.claims is not None

    async def is_still(self, request: HTTPConnection) -> bool:
        """Whether the caller of a request that lasts would be known by its credentials now, with the same rights."""
        identity: Identity | None = request.scope.get(_IDENTITY)
        return identity is not None and await self._sign_in.is_still(identity)

    def caller(self, request: HTTPConnection) -> Principal | None:
        """The caller, as far as it is known; for logs and the audit."""
        identity: Identity | None = request.scope.get(_IDENTITY)
        return None if identity is None else identity.principal

    def _must_sign_in(self, identity: Identity) -> bool:
        return identity.principal.is_anonymous and self._settings.current.auth.required

    def _recall(self, authorization: str | None) -> Identity | None:
        try:
            credentials = parse_authorization(authorization)
        except CredentialsMalformed:
            return None
        return self._sign_in.recall(credentials) if credentials else self._sign_in.nobody()

    async def _identify(
        self, request: HTTPConnection, scopes: Iterable[Scope], session: SessionOwner | None = None
    ) -> Identity:
        try:
            credentials = parse_authorization(request.headers.get("authorization"))
            identity = await self._resolve(request, credentials, session)
        except CredentialsMalformed as error:
            raise self._challenged(request, Unauthorized(_MALFORMED), scopes) from error
        except TokenInvalid as error:
            raise self._challenged(request, error, scopes, INVALID_TOKEN) from error
        except Unauthorized as error:
            raise self._challenged(request, error, scopes) from error
        request.scope[_IDENTITY] = identity
        return identity

    async def _resolve(
        self, request: HTTPConnection, credentials: Credentials | None, session: SessionOwner | None
    ) -> Identity:
        if credentials is None:
            return self._sign_in.nobody()
        identity = self._sign_in.recall(credentials)
        if identity is not None:
            return identity
        address = request.client.host if request.client else ""
        try:
            return await self._sign_in.identify(credentials, address)
        except TokenInvalid:
            if session is None:
                raise
            late = await self._sign_in.identify(credentials, address, self._settings.current.auth.session_grace_seconds)
            if late.principal.is_anonymous or await session() != late.principal.id:
                raise
            return late

    def _refusal(self, request: HTTPConnection, identity: Identity, scopes: Sequence[Scope], sentence: str) -> OciError:
        if identity.claims is not None:
            # Name only the refused scope: podman and skopeo cannot read a challenge with two.
            refused = Unauthorized(sentence, _detail(scopes))
            return self._challenged(request, refused, scopes[:1], INSUFFICIENT_SCOPE, sentence)
        if identity.principal.is_anonymous:
            return self._challenged(request, Unauthorized(_MISSING), scopes)
        return Denied(sentence, _detail(scopes))

    def _challenged(
        self,
        request: HTTPConnection,
        error: Unauthorized,
        scopes: Iterable[Scope],
        reason: str = "",
        description: str = "",
    ) -> Unauthorized:
        scopes = tuple(scopes)
        made = challenger(request, self._settings.current).challenge(scopes, reason, description)
        error.headers["WWW-Authenticate"] = made
        if error.detail is None and scopes:
            error.detail = _detail(scopes)
        return error


def _wanted(repository: RepositoryName, actions: Iterable[Action], also: Iterable[RepositoryName]) -> Iterator[Scope]:
    """The scopes for a challenge; made when one is needed."""
    yield repository_scope(repository, actions)
    for name in also:
        yield repository_scope(name, (Action.PULL,))


def _who(principal: Principal) -> str:
    if principal.is_anonymous:
        return "the anonymous caller"
    word = "scope map" if principal.grants else f"role {principal.role.value if principal.role else 'none'}"
    return f"principal {principal.name} ({word})"


def _sentence(identity: Identity, repository: RepositoryName, actions: Sequence[Action]) -> str:
    """Why access is denied, for a person: docker prints this."""
    principal = identity.principal
    if principal.is_anonymous:
        return f"{_MISSING} (the anonymous caller may not {' and '.join(actions)} in {repository})"
    refused = next((a for a in reversed(actions) if not principal.may(a, repository)), None)
    if refused is None:
        return f"the token of {_who(principal)} does not cover {','.join(actions)} on {repository}: ask for a wider one"
    verb = refused.value.replace("_", " ")
    link = "from" if refused is Action.PULL else "to" if refused is Action.PUSH else "in"
    need = f"needs role {roles_that_may(refused)}"
    if principal.grants:
        need = f"its scope map does not grant that, it reaches {', '.join(principal.patterns)}"
    elif principal.role is not None and not principal.reaches(repository):
        need = f"it is bound to {', '.join(principal.repositories)}"
    return f"{_who(principal)} may not {verb} {link} {repository}: {need}"


def _detail(scopes: Iterable[Scope]) -> list[dict[str, str]]:
    """The denied access, in ACR's form."""
    return [{"Type": s.kind, "Name": s.name, "Action": a} for s in scopes for a in s.actions]
