"""`/admin/v1/policies` and `/admin/v1/exemptions` over HTTP, for owners of the whole registry."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.administration.exemption_book import exemption_document, exemptions_document
from policy.definition.policy import Policy, PolicyRefused, parse_policy
from policy.enforcement.exemptions import ExemptionRefused, new_exemption
from policy.enforcement.gate import PolicyGate
from policy.enforcement.operator_file import OperatorFileRefused
from policy.enforcement.policy_book import PolicyBook
from registry.administration.body import Body
from registry.administration.run_handlers import RunHandlers
from registry.api.services import Services
from registry.auth.enrolment import EnrolmentRefused, require_pattern
from registry.auth.principals import Principal
from registry.content.progress import Tell
from registry.oci.errors import BadRequest, NotFound
from registry.telemetry.request_record import note_decision

_EXEMPTION = ("repositories", "digest", "rule", "owner", "reason", "until")
_NEEDED = ("repositories", "rule", "owner", "reason", "until")


class PolicyHandlers:
    """Answers.

    Args:
        gate: knows the policies, results and exemptions in force.
        body: reads requests.
        runs: begins what takes long.
    """

    def __init__(self, gate: PolicyGate, body: Body, runs: RunHandlers) -> None:
        self._gate = gate
        self._body = body
        self._runs = runs

    async def list_policies(self, services: Services, _request: Request, _principal: Principal) -> Response:
        """GET: all, and where each counts."""
        return JSONResponse({"policies": await self._book(services).listed()})

    async def show_policy(self, services: Services, request: Request, _principal: Principal) -> Response:
        """GET: one."""
        try:
            shown = await asyncio.to_thread(self._book(services).shown, str(request.path_params["policy"]))
        except PolicyRefused as refusal:
            raise NotFound(str(refusal)) from None
        return JSONResponse(shown)

    async def replay(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: what would change under a policy."""
        book = self._book(services)
        policy, repositories = await self._chosen(book, request)

        async def work(tell: Tell) -> dict[str, Any]:
            return await book.replayed(policy, repositories, tell)

        return await self._runs.begin("policy.replay", principal, work)

    async def activate(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: put a policy into force."""
        book = self._book(services)
        policy, repositories = await self._chosen(book, request)
        note_decision(request, f"policy={policy.name} digest={policy.digest} repositories={repositories}")

        async def work(tell: Tell) -> dict[str, Any]:
            return await book.activated(policy, repositories, tell)

        return await self._runs.begin("policy.activate", principal, work)

    async def deactivate(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: let the settings count again."""
        book = self._book(services)
        repositories = _pattern(await self._body.members(request, ("repositories",)))
        note_decision(request, f"repositories={repositories}")

        async def work(_tell: Tell) -> dict[str, Any]:
            return await book.deactivated(repositories)

        return await self._runs.begin("policy.deactivate", principal, work)

    async def list_exemptions(self, _services: Services, _request: Request, _principal: Principal) -> Response:
        """GET: all, those that have ended too."""
        return JSONResponse(exemptions_document(self._gate.exemptions()))

    async def make_exemption(self, _services: Services, request: Request, _principal: Principal) -> Response:
        """POST: one more, 201."""
        given = await self._body.members(request, _EXEMPTION)
        try:
            made = new_exemption(**{name: _text(given, name) for name in _EXEMPTION})
        except ExemptionRefused as refusal:
            raise BadRequest(str(refusal)) from None
        note_decision(request, f"exempt {made.id} repositories={made.repositories} rule={made.rule}"[:400])
        await asyncio.to_thread(self._gate.change_orders, lambda orders: orders.with_exemption(made))
        return JSONResponse(exemption_document(made), 201)

    async def end_exemption(self, _services: Services, request: Request, _principal: Principal) -> Response:
        """DELETE: one fewer."""
        identifier = str(request.path_params["exemption"])
        try:
            await asyncio.to_thread(self._gate.change_orders, lambda orders: orders.without_exemption(identifier))
        except OperatorFileRefused as refusal:
            raise NotFound(str(refusal)) from None
        return JSONResponse({"exemption": identifier})

    def _book(self, services: Services) -> PolicyBook:
        gate, stores = self._gate, services.stores
        return PolicyBook(gate.orders, gate.settings, gate.bindings.current(), gate.results, stores.metadata)

    async def _chosen(self, book: PolicyBook, request: Request) -> tuple[Policy, str]:
        """The policy that the body names or has in it, and the pattern."""
        given = await self._body.members(request, ("policy", "content", "repositories"))
        if ("policy" in given) == ("content" in given):
            raise BadRequest("the body needs policy, a name, or content, a policy itself: one of the two")
        try:
            if "content" in given:
                policy = await asyncio.to_thread(parse_policy, given["content"], "of the request")
            else:
                policy = await asyncio.to_thread(book.named, _text(given, "policy"))
        except PolicyRefused as refusal:
            raise BadRequest(str(refusal)) from None
        return policy, _pattern(given)


def _pattern(given: Mapping[str, Any]) -> str:
    pattern = _text({"repositories": "*"} | dict(given), "repositories")
    try:
        require_pattern(pattern)
    except EnrolmentRefused as refusal:
        raise BadRequest(str(refusal)) from None
    return pattern


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, None if name in (*_NEEDED, "policy") else "")
    if not isinstance(value, str):
        shown = "not given" if value is None else repr(value)[:64]
        raise BadRequest(f"{name} is {shown}: needs a text")
    return value
