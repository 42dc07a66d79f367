"""The description of the API as a page: `/openapi`, for anybody, without signing in."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from policy.gateway.description import description
from policy.web.responses import html
from policy.web.session import note_origin
from registry.api.services import Services
from registry.auth.principals import Principal

_GROUPS = (
    ("/policy/", "Images and deployments"),
    ("/admin/", "Administration"),
    ("/oauth2/", "Tokens"),
    ("/", "Pages, health and metrics"),
)


async def api_page(services: Services, request: Request, _principal: Principal) -> Response:
    """GET: every endpoint, what it takes and answers. It tells nothing of this registry."""
    note_origin(request, services.stores.settings.current)
    groups = await asyncio.to_thread(_groups)
    return await html(request, "api.html", {"groups": groups}, None)


@cache
def _groups() -> list[dict[str, Any]]:
    document = description()
    groups: dict[str, list[dict[str, Any]]] = {title: [] for _, title in _GROUPS}
    for path, item in document["paths"].items():
        title = next(title for beginning, title in _GROUPS if path.startswith(beginning))
        shared = item.get("parameters", [])
        for method, operation in item.items():
            if method != "parameters":
                groups[title].append(_operation(document, path, method, operation, shared))
    return [{"title": title, "operations": operations} for title, operations in groups.items()]


def _operation(
    document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any], shared: list[Any]
) -> dict[str, Any]:
    parameters = [_resolved(document, each) for each in (*shared, *operation.get("parameters", []))]
    return {
        "id": operation["operationId"],
        "call": f"{method.upper()} {path}",
        "summary": operation["summary"],
        "description": " ".join(operation.get("description", "").split()),
        "takes": [_told(each) for each in parameters] + list(_members(document, operation)),
        "answers": [_answer(document, str(status), each) for status, each in operation["responses"].items()],
    }


def _told(parameter: Mapping[str, Any]) -> dict[str, str]:
    needed = "needed" if parameter.get("required") else ""
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "needed": needed,
        "about": parameter.get("description") or parameter.get("schema", {}).get("description", ""),
    }


def _members(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Those of the body, of all its forms."""
    body = _resolved(document, operation.get("requestBody", {}))
    for form in body.get("content", {}).values():
        schema = _resolved(document, form.get("schema", {}))
        for each in (schema, *schema.get("oneOf", [])):
            for name, member in each.get("properties", {}).items():
                about = _resolved(document, member).get("description", "")
                needed = "needed" if name in each.get("required", []) else ""
                yield {"name": name, "where": "body", "needed": needed, "about": about}


def _answer(document: Mapping[str, Any], status: str, answer: Mapping[str, Any]) -> dict[str, str]:
    return {"status": status, "about": _resolved(document, answer)["description"]}


def _resolved(document: Mapping[str, Any], item: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference means; the item itself when it is none."""
    if "$ref" not in item:
        return item
    found: Any = document
    for part in item["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return _resolved(document, found)
