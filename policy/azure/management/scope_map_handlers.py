"""The handlers of scope maps and repository-scoped tokens."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.azure.arm_body import list_in, needed_text, objects_in, read_object, text_in
from policy.azure.arm_errors import ArmError, refused_by_registry
from policy.azure.management.dispatch import Call
from policy.azure.management.environment import REGISTRY_TYPE, AzureEnvironment
from policy.azure.management.resources import within_registry
from policy.azure.scope_maps import FOREVER, RepositoryToken, RepositoryTokens, ScopeMap, ScopeMaps
from registry.auth.enrolment import SECRET_NAMES
from registry.oci.timestamp import timestamp

_ACTIONS_MAXIMUM = 500
_DESCRIPTION_MAXIMUM = 256


class ScopeMapHandlers:
    """The handlers.

    Args:
        maps: the scope maps.
        tokens: the tokens that have them.
        environment: Azure as the caller of a request sees it.
        body_bytes: largest body.
    """

    def __init__(
        self,
        maps: ScopeMaps,
        tokens: RepositoryTokens,
        environment: Callable[[Request], AzureEnvironment],
        body_bytes: Callable[[], int],
    ) -> None:
        self._maps = maps
        self._tokens = tokens
        self._environment = environment
        self._body_bytes = body_bytes

    async def maps(self, call: Call) -> Response:
        """GET: all scope maps."""
        environment = within_registry(call, self._environment(call.request))
        return JSONResponse({"value": [_map_resource(each, environment) for each in await self._maps.all()]})

    async def show_map(self, call: Call) -> Response:
        """GET: one."""
        environment = within_registry(call, self._environment(call.request))
        with refused_by_registry(404, "ResourceNotFound"):
            return JSONResponse(_map_resource(await self._maps.find(call.names["name"]), environment))

    async def put_map(self, call: Call) -> Response:
        """PUT, PATCH: make one, or change what is said of it."""
        environment = within_registry(call, self._environment(call.request))
        said = objects_in(await read_object(call.request, self._body_bytes()), "properties")
        before = await self._known_map(call.names["name"])
        if before is None and call.request.method == "PATCH":
            raise ArmError(404, "ResourceNotFound", f"there is no scope map {call.names['name'][:64]!r}: make it first")
        actions = list_in(said, "actions") if "actions" in said or before is None else list(before.actions)
        if len(actions) > _ACTIONS_MAXIMUM or not all(isinstance(each, str) for each in actions):
            message = f"actions holds {len(actions)} values: needs {_ACTIONS_MAXIMUM} texts at most"
            raise ArmError(400, "InvalidRequestContent", message)
        description = text_in(said, "description", before.description if before else "")[:_DESCRIPTION_MAXIMUM]
        with refused_by_registry():
            made = await self._maps.put(call.names["name"], actions, description)
        return JSONResponse(_map_resource(made, environment), 200 if before else 201)

    async def remove_map(self, call: Call) -> Response:
        """DELETE: forget one."""
        within_registry(call, self._environment(call.request))
        with refused_by_registry():
            await self._maps.remove(call.names["name"])
        return Response(status_code=200)

    async def tokens(self, call: Call) -> Response:
        """GET: all tokens."""
        environment = within_registry(call, self._environment(call.request))
        return JSONResponse({"value": [_token_resource(each, environment) for each in await self._tokens.all()]})

    async def show_token(self, call: Call) -> Response:
        """GET: one."""
        environment = within_registry(call, self._environment(call.request))
        with refused_by_registry(404, "ResourceNotFound"):
            return JSONResponse(_token_resource(await self._tokens.find(call.names["name"]), environment))

    async def put_token(self, call: Call) -> Response:
        """PUT, PATCH: make one, or give it another map or status."""
        environment = within_registry(call, self._environment(call.request))
        said = objects_in(await read_object(call.request, self._body_bytes()), "properties")
        before = await self._known_token(call.names["name"])
        if before is None and call.request.method == "PATCH":
            raise ArmError(404, "ResourceNotFound", f"there is no token {call.names['name'][:64]!r}: make it first")
        if before is None or "scopeMapId" in said:
            scope_map = _name_in(needed_text(said, "scopeMapId"), environment, "scopeMaps")
        else:
            scope_map = before.scope_map
        status = text_in(said, "status", "enabled" if before is None or before.enabled else "disabled").lower()
        if status not in {"enabled", "disabled"}:
            raise ArmError(400, "InvalidRequestContent", f"status is {status[:32]!r}: needs enabled or disabled")
        with refused_by_registry():
            made = await self._tokens.put(call.names["name"], scope_map, enabled=status == "enabled")
        return JSONResponse(_token_resource(made, environment), 200 if before else 201)

    async def remove_token(self, call: Call) -> Response:
        """DELETE: forget one."""
        within_registry(call, self._environment(call.request))
        with refused_by_registry():
            await self._tokens.remove(call.names["name"])
        return Response(status_code=200)

    async def generate(self, call: Call) -> Response:
        """POST: new passwords of a token; the only time that they are shown."""
        environment = within_registry(call, self._environment(call.request))
        body = await read_object(call.request, self._body_bytes())
        name = _name_in(needed_text(body, "tokenId"), environment, "tokens")
        wanted = text_in(body, "name")
        expires = _moment_of(text_in(body, "expiry"))
        with refused_by_registry():
            made = await self._tokens.generate(name, (wanted,) if wanted else SECRET_NAMES, expires)
        passwords = [
            {
                "name": each.row.name,
                "value": each.value,
                "creationTime": timestamp(each.row.created),
                "expiry": _end_of(each.row.expires),
            }
            for each in made
        ]
        return JSONResponse({"username": name, "passwords": passwords}, headers={"Cache-Control": "no-store"})

    async def _known_map(self, name: str) -> ScopeMap | None:
        return next((each for each in await self._maps.all() if each.name == name), None)

    async def _known_token(self, name: str) -> RepositoryToken | None:
        return next((each for each in await self._tokens.all() if each.name == name), None)


def _name_in(resource_id: str, environment: AzureEnvironment, kind: str) -> str:
    """The last part of an id, when the rest of it is that of this registry."""
    begin, _, name = resource_id.rpartition("/")
    if begin.lower() != f"{environment.registry_id}/{kind}".lower() or not name:
        message = f"{resource_id[:300]!r} is no id of this registry: needs {environment.registry_id}/{kind}/NAME"
        raise ArmError(400, "InvalidResourceId", message)
    return name


def _moment_of(text: str) -> float:
    """Seconds since the epoch of a time in ISO 8601; without one, the end of time."""
    if not text:
        return FOREVER
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArmError(400, "InvalidRequestContent", f"expiry is {text[:64]!r}: needs a time in ISO 8601") from None
    try:
        return min((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp(), FOREVER)
    except (OverflowError, ValueError):
        raise ArmError(400, "InvalidRequestContent", f"expiry is {text[:64]!r}: that time is out of reach") from None


def _end_of(expires: float) -> str | None:
    return None if expires >= FOREVER else timestamp(expires)


def _map_resource(found: ScopeMap, environment: AzureEnvironment) -> dict[str, Any]:
    return {
        "id": f"{environment.registry_id}/scopeMaps/{found.name}",
        "name": found.name,
        "type": f"{REGISTRY_TYPE}/scopeMaps",
        "properties": {
            "description": found.description,
            "type": "SystemDefined" if found.is_system else "UserDefined",
            "creationDate": timestamp(found.created),
            "provisioningState": "Succeeded",
            "actions": list(found.actions),
        },
    }


def _token_resource(found: RepositoryToken, environment: AzureEnvironment) -> dict[str, Any]:
    passwords = [
        {"name": name, "creationTime": timestamp(created), "expiry": _end_of(expires)}
        for name, (created, expires) in sorted(found.passwords.items())
    ]
    return {
        "id": f"{environment.registry_id}/tokens/{found.name}",
        "name": found.name,
        "type": f"{REGISTRY_TYPE}/tokens",
        "properties": {
            "creationDate": timestamp(found.created),
            "provisioningState": "Succeeded",
            "scopeMapId": f"{environment.registry_id}/scopeMaps/{found.scope_map}",
            "status": "enabled" if found.enabled else "disabled",
            "credentials": {"certificates": [], "passwords": passwords},
        },
    }
