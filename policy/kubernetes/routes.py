"""The routes of reviews, and who answers them: a signed-in caller, over TLS or from this machine."""

from collections.abc import Callable, Collection
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.gateway.settings import GatewaySettings
from policy.kubernetes.image_decisions import Asked, Checker, decide
from policy.kubernetes.review import read_admission_review, read_image_review
from policy.kubernetes.review_response import Decisions, admission_answer, image_review_answer, is_allowed
from policy.kubernetes.settings import KubernetesSettings
from registry.api.confidential import is_confidential
from registry.api.request_body import read_limited
from registry.api.requirements import Requirement
from registry.api.routes import Row
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.content.parsing import Parsing
from registry.oci.errors import BadRequest, ContentTooLarge, Denied
from registry.telemetry.request_record import request_record_of

_MUTATE = ("", "digest")
_AUDITED = 1000


def table(handlers: "ReviewHandlers") -> tuple[Row, ...]:
    """The rows of the route table."""
    signed_in = Requirement.SIGNED_IN
    return (
        Row("POST", "/policy/v1/imagereview", signed_in, "kubernetes.review_images", handlers.review_images),
        Row("POST", "/policy/v1/admission", signed_in, "kubernetes.admit", handlers.admit),
        Row("POST", "/policy/v1/admission/digest", signed_in, "kubernetes.pin", handlers.pin),
    )


class ReviewHandlers:
    """The handlers.

    Args:
        checks: answers for images of this registry.
        gateway: returns the section `gateway` in force.
        settings: returns the section `kubernetes` in force.
        parsing: parses long reviews beside the event loop.
    """

    def __init__(
        self,
        checks: Checker,
        gateway: Callable[[], GatewaySettings],
        settings: Callable[[], KubernetesSettings],
        parsing: Parsing,
    ) -> None:
        self._checks = checks
        self._gateway = gateway
        self._settings = settings
        self._parsing = parsing

    async def review_images(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: may a Pod start from these images? 200 with the answer, also when it is denied."""
        raw = await self._body(request)
        images = await self._parsing.read(len(raw), partial(read_image_review, raw))
        return JSONResponse(image_review_answer(await self._decide(services, request, principal, images)))

    async def admit(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: may this object be stored? With `?mutate=digest`, also how its images are pinned."""
        return await self._admit(services, request, principal, pins=_pins(request))

    async def pin(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: the same with `?mutate=digest`, which Kubernetes refuses in the address of a webhook."""
        return await self._admit(services, request, principal, pins=True)

    async def _admit(self, services: Services, request: Request, principal: Principal, *, pins: bool) -> Response:
        raw = await self._body(request)
        read = partial(read_admission_review, raw, kserve=self._settings().kserve)
        asked = await self._parsing.read(len(raw), read)
        images = [place.image for place in asked.places]
        decisions = await self._decide(services, request, principal, images)
        return JSONResponse(admission_answer(asked.uid, decisions, asked.places, pins=pins))

    async def _body(self, request: Request) -> bytes:
        _require_private(request)
        limit = self._settings().review_bytes
        try:
            return await read_limited(request, limit)
        except ContentTooLarge:
            message = f"the review is larger than {limit} bytes: kubernetes.review_bytes is the limit"
            raise ContentTooLarge(message, {"maximum": limit}) from None

    async def _decide(
        self, services: Services, request: Request, principal: Principal, images: Collection[str]
    ) -> Decisions:
        asked = Asked(
            principal,
            services.access.readable(request, principal),
            request.headers.get("host", ""),
            self._gateway().hosts,
            self._settings(),
        )
        decisions = await decide(images, self._checks, asked)
        _note(request, decisions)
        return decisions


def _pins(request: Request) -> bool:
    value = request.query_params.get("mutate", "")
    if value not in _MUTATE:
        raise BadRequest(f"mutate={value[:40]} is not known: leave it out, or ask for mutate=digest")
    return bool(value)


def _require_private(request: Request) -> None:
    """Refuse plain HTTP from other machines: reviews and their credentials would be there for all to read."""
    if not is_confidential(request):
        peer = request.client.host if request.client else "an unknown address"
        raise Denied(
            f"plain HTTP from {peer}: reviews are answered over TLS, and over plain HTTP on "
            "this machine alone; serve with --tls-cert and --tls-key (basegate tls init makes them)"
        )


def _note(request: Request, decisions: Decisions) -> None:
    """Put the images and the decision into the request record, for logs and audit."""
    record = request_record_of(request.scope)
    if record is None:
        return
    refused = [each for each in decisions.values() if not each.allowed]
    record.reference = ", ".join(decisions)[:_AUDITED]
    verdicts = ", ".join(dict.fromkeys(each.verdict or "not judged" for each in refused or decisions.values()))
    record.decision = f"{'allowed' if is_allowed(decisions) else 'denied'}: {verdicts or 'no images'}"
