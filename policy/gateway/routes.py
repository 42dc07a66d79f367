"""The gateway's routes and handlers. Only callers that may pull the repository get content."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.gateway.audit_trail import note_answer
from policy.gateway.check_request import CheckRequest, read_inquiry
from policy.gateway.check_result import CheckResult
from policy.gateway.checks import Checks
from policy.gateway.description import show_description
from policy.gateway.image_source import Kind, answer_for_public, elsewhere, source_of
from policy.gateway.inference_config.dependencies import remarks_on
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


def table(clearances: Checks, settings: Callable[[], GatewaySettings], parsing: Parsing) -> tuple[Row, ...]:
    """The rows of the route table.

    Args:
        clearances: the service for checks.
        settings: returns the gateway's settings in force.
        parsing: parses long requests beside the event loop.
    """
    handlers = GatewayHandlers(clearances, settings, parsing)
    verdict = "/policy/v1/repositories/{name:repository}/manifests/{reference}/verdict"
    return (
        Row("POST", "/policy/v1/references:check", Requirement.SIGNED_IN, "routes.check", handlers.check),
        Row("GET HEAD", "/openapi.yaml", Requirement.NOTHING, "description.show", show_description),
        Row("GET HEAD", verdict, Requirement.PULL, "routes.explain", handlers.explain),
    )


class GatewayHandlers:
    """The handlers."""

    def __init__(self, clearances: Checks, settings: Callable[[], GatewaySettings], parsing: Parsing) -> None:
        self._clearances = clearances
        self._settings = settings
        self._parsing = parsing

    async def check(self, services: Services, request: Request, _principal: Principal) -> Response:
        """POST: may a deployment start from this image? 200 with the result, also when it is denied."""
        limits = self._settings()
        raw = await read_limited(request, limits.request_bytes)
        read = partial(read_inquiry, raw, limits.yaml_bytes, limits.default_image)
        inquiry = await self._parsing.read(len(raw), read)
        answer = await self._answer(services, request, inquiry)
        remarks = inquiry.config.remarks if inquiry.config else ()
        document = answer.with_remarks(remarks).document()
        note_answer(request, document)
        return JSONResponse(document)

    async def explain(self, _services: Services, request: Request, principal: Principal) -> Response:
        """GET: all facts of a manifest, and its verdict."""
        image = _named(request.headers.get("host", ""), repository_of(request), read_reference_of(request))
        document = await self._clearances.explain(principal, image)
        note_answer(request, document)
        return JSONResponse(document)

    async def _answer(self, services: Services, request: Request, inquiry: CheckRequest) -> CheckResult:
        if not inquiry.image:
            return CheckResult(allowed=False, verdict="inconclusive", reference="")
        here = request.headers.get("host", "")
        note_answer(request, reference=inquiry.image)
        image = ImageReference.parse(inquiry.image)
        if not image.host and inquiry.config is None:
            image = image.with_host(here)  # the caller means this registry
        source = source_of(image, here, self._settings())
        if source.kind is Kind.STANDALONE:
            return CheckResult.unresolved(str(image), elsewhere(image, here))
        principal = await services.access.require(request, source.image.repository, Action.PULL)
        answer = await self._clearances.check(principal, source.image)
        wanted = inquiry.config.platform if inquiry.config else None
        answer = answer.with_remarks(await self._clearances.on_platform(source.image.repository, answer, wanted))
        if inquiry.config:
            answer = answer.with_remarks(remarks_on(inquiry.config, answer.facts))
        return answer if source.kind is Kind.WORKSPACE else answer_for_public(answer, image, source)


def _named(host: str, repository: RepositoryName, reference: Reference) -> ImageReference:
    if isinstance(reference, Digest):
        return ImageReference(host, repository, digest=reference)
    return ImageReference(host, repository, tag=reference)
