"""The gateway's routes, and who answers them. Content leaves here for callers that may pull the repository only."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.gateway.check_request import CheckRequest, read_inquiry
from policy.gateway.check_result import REFERENCE_RULE, CheckResult
from policy.gateway.checks import Checks
from policy.gateway.image_source import ImageSource, Kind, how_to_copy, licence_note, source_of
from policy.gateway.inference_config.remarks import Weight
from policy.gateway.settings import GatewaySettings
from registry.api.path_parameters import read_reference_of, repository_of
from registry.api.request_body import read_limited
from registry.api.requirements import Requirement
from registry.api.routes import Row
from registry.api.services import Services
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.content.parsing import Parsing
from registry.oci.digest import Digest
from registry.oci.image_reference import ImageReference
from registry.oci.names import Reference, RepositoryName
from registry.telemetry.request_record import exchange_of


def table(clearances: Checks, settings: Callable[[], GatewaySettings], parsing: Parsing) -> tuple[Row, ...]:
    """Methods, path, what the caller needs, who answers.

    Args:
        clearances: answer what is asked.
        settings: the gateway's that count now.
        parsing: reads long inquiries beside the event loop.
    """
    doors = GatewayHandlers(clearances, settings, parsing)
    verdict = "/policy/v1/repositories/{name:repository}/manifests/{reference}/verdict"
    return (
        Row("POST", "/policy/v1/references:check", Requirement.SIGNED_IN, "routes.check", doors.check),
        Row("GET HEAD", verdict, Requirement.PULL, "routes.explain", doors.explain),
    )


class GatewayHandlers:
    """The handlers."""

    def __init__(self, clearances: Checks, settings: Callable[[], GatewaySettings], parsing: Parsing) -> None:
        self._clearances = clearances
        self._settings = settings
        self._parsing = parsing

    async def check(self, services: Services, request: Request, _principal: Principal) -> Response:
        """POST: may a deployment start from this image? 200 with the answer, whatever it is."""
        limits = self._settings()
        raw = await read_limited(request, limits.request_bytes)
        read = partial(read_inquiry, raw, limits.yaml_bytes, limits.default_image)
        inquiry = await self._parsing.read(len(raw), read)
        answer = await self._answer(services, request, inquiry)
        remarks = inquiry.config.remarks if inquiry.config else ()
        document = answer.with_remarks(remarks).document()
        _record(request, document)
        return JSONResponse(document)

    async def explain(self, _services: Services, request: Request, principal: Principal) -> Response:
        """GET: everything known of one manifest, and what the policy makes of it."""
        image = _named(request.headers.get("host", ""), repository_of(request), read_reference_of(request))
        document = await self._clearances.explain(principal, image)
        _record(request, document)
        return JSONResponse(document)

    async def _answer(self, services: Services, request: Request, inquiry: CheckRequest) -> CheckResult:
        if not inquiry.image:
            return CheckResult(allowed=False, verdict="inconclusive", reference="")
        here = request.headers.get("host", "")
        exchange = exchange_of(request.scope)
        if exchange is not None:
            exchange.reference = inquiry.image
        image = ImageReference.parse(inquiry.image)
        if not image.host and inquiry.config is None:
            image = image.at(here)  # the caller speaks of the registry that it speaks to
        source = source_of(image, here, self._settings())
        if source.kind is Kind.STANDALONE:
            return CheckResult.unresolved(str(image), _elsewhere(image, here))
        principal = await services.access.require(request, source.image.repository, Action.PULL)
        answer = await self._clearances.check(principal, source.image)
        return answer if source.kind is Kind.WORKSPACE else answer_for_public(answer, image, source)


def answer_for_public(answer: CheckResult, image: ImageReference, source: ImageSource) -> CheckResult:
    """The answer of a copy, for the public image that it is a copy of."""
    if answer.digest is None and not answer.stands_against:
        return CheckResult.unresolved(str(image), how_to_copy(image, source))
    notes = (f"{image} is judged by its copy {source.image}", licence_note(image))
    return replace(answer, reference=str(image)).with_findings(REFERENCE_RULE, Weight.WARN, notes)


def _record(request: Request, document: Mapping[str, Any]) -> None:
    """Let the audit know which image was asked for, and what was answered."""
    exchange = exchange_of(request.scope)
    if exchange is not None:
        exchange.reference = exchange.reference or document["reference"]
        exchange.digest = document["digest"] or ""
        exchange.decision = f"{'allowed' if document['allowed'] else 'denied'}: {document['verdict']}"


def _named(host: str, repository: RepositoryName, reference: Reference) -> ImageReference:
    if isinstance(reference, Digest):
        return ImageReference(host, repository, digest=reference)
    return ImageReference(host, repository, tag=reference)


def _elsewhere(image: ImageReference, here: str) -> str:
    there = image.host or "docker.io, which a reference without a registry means"
    return (
        f"{image} is on another registry ({there}): {here} judges only what was pushed to it; "
        f"push the image here and name {here}/{image.repository}"
    )
