"""`/admin/v1/retention`: the rules of retention over HTTP, for owners of the whole registry."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.administration.retention import explained_document
from registry.administration.run_handlers import RunBeginner
from registry.api.path_parameters import repository_of
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.content.progress import Tell
from registry.content.retention import RetentionRefused, plan_as_json
from registry.content.retention_plan import Unkept
from registry.oci.errors import BadRequest
from registry.oci.timestamp import zoned_seconds_of
from registry.telemetry.request_record import note_decision


class RetentionHandlers(RunBeginner):
    """Begins runs of retention."""

    async def plan(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: what no rule keeps, and what a run would remove of it."""
        await self._body.members(request, ())

        async def work(_tell: Tell) -> dict[str, Any]:
            return plan_as_json(await services.retention.retention.plan())

        return await self._runs.begin("retention.plan", principal, work)

    async def run(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST `{"made", "digest"}` of a plan, or `{}` for one that is made now: remove what it says."""
        named = _named(await self._body.members(request, ("made", "digest")))
        note_decision(request, f"plan={named[1]}" if named else "")
        schedule = services.retention

        def told(run: str, gone: Sequence[Unkept]) -> None:
            schedule.note(run, gone, principal.name)

        async def work(_tell: Tell) -> dict[str, Any]:
            plan = await (schedule.retention.made_again(*named) if named else schedule.retention.plan())
            return asdict(await schedule.retention.run(plan, told, whole=False))

        return await self._runs.begin("retention.run", principal, work)


async def explain(services: Services, request: Request, _principal: Principal) -> Response:
    """GET: why each tag and manifest of a repository is kept, or is not."""
    name = repository_of(request)
    try:
        judged = await services.retention.retention.explain(name)
    except RetentionRefused as refusal:
        raise BadRequest(str(refusal)) from None
    return JSONResponse(explained_document(name, judged))


def _named(given: Mapping[str, Any]) -> tuple[float, str] | None:
    """The time and the digest of the plan that is meant."""
    if not given:
        return None
    made, digest = given.get("made"), given.get("digest")
    if not isinstance(made, str) or not isinstance(digest, str):
        raise BadRequest("the body names no plan: send made and digest as the plan has them, or neither")
    try:
        return zoned_seconds_of(made), digest
    except ValueError:
        raise BadRequest(f"made is {made[:64]!r}: send it as the plan has it") from None
