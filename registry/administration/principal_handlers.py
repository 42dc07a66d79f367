"""`/admin/v1/principals`: principals over HTTP, for owners of the whole registry."""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.administration.body import Body
from registry.administration.principals import DAYS_MAXIMUM
from registry.api.confidential import require_confidential
from registry.api.services import Services
from registry.auth import enrolment
from registry.auth.actions import Role
from registry.auth.enrolment import SECRET_NAMES, EnrolmentRefused, document_of
from registry.auth.principals import Principal
from registry.metadata import principals as rows
from registry.oci.errors import BadRequest, NotFound
from registry.telemetry.request_record import note_decision

T = TypeVar("T")
_NOT_KEPT = {"Cache-Control": "no-store"}
_PATTERNS_MAXIMUM = 100


async def list_principals(services: Services, _request: Request, _principal: Principal) -> Response:
    """GET: all, by name."""
    known = await services.stores.metadata.read_apart(rows.everyone)
    return JSONResponse({"principals": [document_of(row) for row in known]})


async def show_principal(services: Services, request: Request, _principal: Principal) -> Response:
    """GET: one."""
    return JSONResponse(document_of(await _existing(services, request)))


async def delete_principal(services: Services, request: Request, _principal: Principal) -> Response:
    """DELETE: it is forgotten."""
    row = await _existing(services, request)
    note_decision(request, f"name={row.name}")
    return JSONResponse(document_of(await _done(services.stores.metadata.write(enrolment.delete, row.id))))


class PrincipalHandlers:
    """What has a body.

    Args:
        body: reads it.
    """

    def __init__(self, body: Body) -> None:
        self._body = body

    async def create(self, services: Services, request: Request, _principal: Principal) -> Response:
        """POST: a new one; 201 with its secrets, which are told this once."""
        require_confidential(request, "the secrets of a new principal")
        given = await self._body.members(request, ("name", "role", "repositories", "days"))
        name, role, patterns, days = _text(given, "name"), _role(given), _patterns(given), _days(services, given)
        note_decision(request, f"name={name[:64]} role={role} repositories={','.join(patterns)}"[:400])
        made = await _done(asyncio.to_thread(enrolment.draft, name, role, patterns, days))
        await _done(services.stores.metadata.write(enrolment.record, made))
        return JSONResponse(made.as_document(), 201, _NOT_KEPT)

    async def rotate(self, services: Services, request: Request, _principal: Principal) -> Response:
        """POST: new secrets, which are told this once; the old ones end."""
        require_confidential(request, "new secrets")
        given = await self._body.members(request, ("secret", "days"))
        names, days = _secrets(given), _days(services, given)
        row = await _existing(services, request)
        note_decision(request, f"name={row.name} secrets={','.join(names)}")
        return JSONResponse(await renewed(services, row, names, days), headers=_NOT_KEPT)

    async def change(self, services: Services, request: Request, _principal: Principal) -> Response:
        """PATCH `{"enabled": false}`: it is shut out, or let in again."""
        given = await self._body.members(request, ("enabled",))
        enabled = given.get("enabled")
        if not isinstance(enabled, bool):
            raise BadRequest('the body does not say what is to change: send {"enabled": true} or {"enabled": false}')
        row = await _existing(services, request)
        note_decision(request, f"name={row.name} {'enable' if enabled else 'disable'}")
        changed = await _done(services.stores.metadata.write(enrolment.enable, row.id, enabled=enabled))
        return JSONResponse(document_of(changed))


async def renewed(services: Services, row: rows.PrincipalRow, names: Sequence[str], days: float) -> dict[str, Any]:
    """New secrets of a principal, which hold for so many days, with their values; the old ones of these names end."""
    made = await asyncio.to_thread(enrolment.make_secrets, names, days, time.time())
    return (await _done(services.stores.metadata.write(enrolment.rotate, row.id, made))).as_document()


async def existing(services: Services, name: str) -> rows.PrincipalRow:
    """The principal of that name or id. Raises NotFound."""
    try:
        return await services.stores.metadata.read(enrolment.existing, name)
    except EnrolmentRefused as refusal:
        raise NotFound(str(refusal)) from None


async def _existing(services: Services, request: Request) -> rows.PrincipalRow:
    return await existing(services, str(request.path_params["principal"]))


async def _done(work: Awaitable[T]) -> T:
    try:
        return await work
    except EnrolmentRefused as refusal:
        raise BadRequest(str(refusal)) from None


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"{name} is {_shown(value)}: needs a text")
    return value


def _role(given: Mapping[str, Any]) -> Role:
    value = given.get("role")
    if value not in list(Role):
        raise BadRequest(f"role is {_shown(value)}: needs one of {', '.join(Role)}")
    return Role(value)


def _patterns(given: Mapping[str, Any]) -> tuple[str, ...]:
    value = given.get("repositories", ["*"])
    if not isinstance(value, list) or not value or len(value) > _PATTERNS_MAXIMUM:
        raise BadRequest(f"repositories is {_shown(value)}: needs a list of 1 to {_PATTERNS_MAXIMUM} patterns")
    if not all(isinstance(each, str) for each in value):
        raise BadRequest("repositories has something that is no text: needs patterns such as team/*")
    return tuple(value)


def _days(services: Services, given: Mapping[str, Any]) -> float:
    if "days" not in given:
        return services.stores.settings.current.auth.secret_days
    value = given["days"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= DAYS_MAXIMUM:
        raise BadRequest(f"days is {_shown(value)}: needs a number above 0, at most {DAYS_MAXIMUM}")
    return float(value)


def _secrets(given: Mapping[str, Any]) -> list[str]:
    value = given.get("secret")
    if value is None:
        return list(SECRET_NAMES)
    if value not in SECRET_NAMES:
        raise BadRequest(f"secret is {_shown(value)}: needs {' or '.join(SECRET_NAMES)}")
    return [str(value)]


def _shown(value: Any) -> str:
    return "not given" if value is None else repr(value)[:64]
