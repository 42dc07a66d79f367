"""One request of the endpoint: its row is found, whatever the case; its caller let in; its refusal worded."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from policy.azure.arm_errors import ArmError, respond_to
from registry.auth.sign_in import Identity
from registry.auth.token_service import TokenService
from registry.auth.tokens import PRINCIPAL
from registry.oci.errors import InternalError, OciError
from registry.telemetry.request_record import request_record_of


class Requirement(Enum):
    """What a row asks of its caller."""

    NOTHING = "nothing"
    LINK = "the secret in the URL"
    SIGNED_IN = "a token of this endpoint, of a principal that has a role"
    OWNER = "such a token of an owner of all repositories"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was let in.

    Attributes:
        request: as it came.
        names: the parts of the path that the row names.
        caller: who signed in; `None` where the row needs nothing.
    """

    request: Request
    names: Mapping[str, str]
    caller: Identity | None


_SLASHES = re.compile("/{2,}")

Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        methods: separated by spaces.
        path: `{name}` is one segment.
        needs: what the caller must be.
        operation: noun and verb, for logs, metrics and the audit log.
        handler: who answers.
    """

    methods: str
    path: str
    needs: Requirement
    operation: str
    handler: Handler


class Management:
    """ASGI of the endpoint: finds the row, lets the caller in, and words refusals in ARM's form.

    Args:
        table: the rows.
        token_service: reads tokens.
    """

    def __init__(self, table: Sequence[Row], token_service: TokenService) -> None:
        self._token_service = token_service
        self._paths: dict[str, tuple[re.Pattern[str], dict[str, Row]]] = {}
        for row in table:
            rows = self._paths.setdefault(row.path, (_pattern(row.path), {}))[1]
            rows.update(dict.fromkeys(row.methods.split(), row))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive, send)
        request_record = request_record_of(scope)
        try:
            response = await self._answer(request)
            await response(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:
            if request_record is not None and request_record.status:
                raise
            told = error if isinstance(error, OciError) else InternalError("a fault of the endpoint: its log says more")
            if request_record is not None:
                # The audit reads who was tried from what it came from.
                request_record.error = told.__cause__ if isinstance(told.__cause__, OciError) else told
            await respond_to(told)(scope, receive, send)
            if told is not error:
                raise

    async def _answer(self, request: Request) -> Response:
        row, names = self._find(request)
        request_record = request_record_of(request.scope)
        if request_record is not None:
            request_record.operation = row.operation
        caller = await self._authorise(request, row.needs)
        if request_record is not None and caller is not None:
            request_record.principal = caller.principal
        return await row.handler(Call(request, names, caller))

    def _find(self, request: Request) -> tuple[Row, Mapping[str, str]]:
        # Clients put a slash between an address that ends in one and a path that begins with one.
        path = _SLASHES.sub("/", request.scope["path"])
        allowed: set[str] = set()
        for pattern, rows in self._paths.values():
            found = pattern.fullmatch(path)
            if found and request.method in rows:
                return rows[request.method], found.groupdict()
            allowed |= rows.keys() if found else set()
        if allowed:
            message = f"{request.method} is not offered here: use {' or '.join(sorted(allowed))}"
            raise ArmError(405, "MethodNotAllowed", message)
        raise ArmError(
            404, "NotFound", f"this endpoint offers nothing at {path[:255]!r}: docs/azure.md lists what it does"
        )

    async def _authorise(self, request: Request, needs: Requirement) -> Identity | None:
        if needs in {Requirement.NOTHING, Requirement.LINK}:
            return None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise ArmError(401, "AuthenticationFailed", "this needs a token of this endpoint: sign in with az login")
        caller = await self._token_service.by_whole_token(token.strip(), PRINCIPAL)
        if needs is Requirement.OWNER and not _owns_registry(caller):
            raise _refusal(caller, "role Owner for all repositories")
        if caller.principal.role is None:
            raise _refusal(caller, "a role")
        return caller


def _owns_registry(caller: Identity) -> bool:
    return caller.principal.owns_registry and caller.claims is None


def _refusal(caller: Identity, need: str) -> ArmError:
    role = caller.principal.role
    bound = f" for {', '.join(caller.principal.repositories)[:200]}" if role else ""
    who = f"principal {caller.principal.name} (role {role.value if role else 'none'}{bound})"
    return ArmError(403, "AuthorizationFailed", f"{who} may not do this: needs {need}")


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    texts = (re.escape(part) if at % 2 == 0 else f"(?P<{part}>[^/]+)" for at, part in enumerate(parts))
    return re.compile("".join(texts) + "/?", re.IGNORECASE)
