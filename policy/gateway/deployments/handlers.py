"""The routes of deployments, workspaces and keys, and who answers them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.deployments.record import Deployment
from policy.deployments.service import DeploymentRefused, Deployments
from policy.deployments.workspaces import WorkspaceRefused, Workspaces
from policy.gateway.audit_trail import note_answer
from policy.gateway.check_result import CheckResult
from policy.gateway.checks import Checks
from policy.gateway.deployments.documents import deployment_document, workspace_document
from policy.gateway.deployments.judging import DEPLOYMENT_RULE, Judged, judge
from policy.gateway.deployments.request import read_deployment
from policy.gateway.deployments.workspace_request import read_workspace
from policy.gateway.inference_config.remarks import fail
from policy.gateway.settings import GatewaySettings
from policy.signing.key_ring import KeyRing
from registry.api.request_body import read_limited
from registry.api.requirements import Requirement
from registry.api.routes import Row
from registry.api.services import Services
from registry.auth.actions import Action
from registry.auth.principals import Principal
from registry.content.parsing import Parsing
from registry.oci.errors import BadRequest, Denied, ManifestUnknown, NotFound
from registry.oci.names import RepositoryName
from registry.telemetry.request_record import request_record_of

_KEYS_TYPE = "application/jwk-set+json"
PEM_TYPE = "application/x-pem-file"


def table(handlers: "DeploymentHandlers") -> tuple[Row, ...]:
    """Methods, path, what the caller needs, who answers."""
    one = "/policy/v1/deployments/{deployment}"
    workspace = "/policy/v1/workspaces/{workspace}"
    signed_in = Requirement.SIGNED_IN
    return (
        Row("POST", "/policy/v1/deployments", signed_in, "deployments.record", handlers.record),
        Row("GET HEAD", "/policy/v1/deployments", signed_in, "deployments.list", handlers.page),
        Row("GET HEAD", one, signed_in, "deployments.show", handlers.show),
        Row("POST", f"{one}/release", signed_in, "deployments.release", handlers.release),
        Row("GET HEAD", "/policy/v1/workspaces", signed_in, "workspaces.list", handlers.workspaces),
        Row("GET HEAD", workspace, signed_in, "workspaces.show", handlers.workspace),
        Row("PUT", workspace, signed_in, "workspaces.create", handlers.create_workspace),
        Row("GET HEAD", "/policy/v1/keys", Requirement.NOTHING, "keys.list", handlers.keys),
    )


class DeploymentHandlers:
    """The handlers."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        checks: Checks,
        deployments: Deployments,
        workspaces: Workspaces,
        settings: Callable[[], GatewaySettings],
        parsing: Parsing,
        ring: KeyRing,
    ) -> None:
        self._checks = checks
        self._ring = ring
        self._deployments = deployments
        self._workspaces = workspaces
        self._settings = settings
        self._parsing = parsing

    async def record(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: may this be deployed? 201 when it was recorded, else 200 with the answer."""
        limits = self._settings()
        raw = await read_limited(request, limits.request_bytes)
        asked = await self._parsing.read(len(raw), partial(read_deployment, raw, limits))
        asked = replace(asked, workspace=asked.workspace or self._workspaces.default_name)
        note_answer(request, reference=asked.config.image)

        async def pull(repository: RepositoryName) -> Principal:
            return await services.access.require(request, repository, Action.PULL)

        judged = await judge(asked, request.headers.get("host", ""), limits, self._checks, pull)
        releasable = partial(_may_release, services, request, principal)
        if asked.record:
            judged, made = await self._recorded(principal, judged, releasable, overwrite=asked.overwrite)
        else:
            made = None
        note_answer(request, judged.answer.document())
        return JSONResponse(_answer(judged, made), 201 if made else 200)

    async def page(self, services: Services, request: Request, principal: Principal) -> Response:
        """GET: the deployments whose images the caller may pull, the latest first."""
        readable = services.access.readable(request, principal)
        shown = [each for each in self._deployments.all() if readable(each.wanted.repository)]
        return JSONResponse({"deployments": [deployment_document(each) for each in shown]})

    async def show(self, services: Services, request: Request, principal: Principal) -> Response:
        """GET: one deployment, with its receipt."""
        return JSONResponse(deployment_document(self._find(services, request, principal), receipt=True))

    async def release(self, services: Services, request: Request, principal: Principal) -> Response:
        """POST: let go of its image; for who recorded it, and for who may delete the image."""
        deployment = self._find(services, request, principal)
        if not _may_release(services, request, principal, deployment):
            await services.access.require(request, deployment.wanted.repository, Action.DELETE)
        note_answer(request, reference=deployment.wanted.image, digest=deployment.wanted.digest)
        return JSONResponse(deployment_document(await self._deployments.release(deployment, principal)))

    async def keys(self, _services: Services, request: Request, _principal: Principal) -> Response:
        """GET: the public keys of receipts and verdicts (RFC 7517); as PEM that of verdicts alone."""
        if wants_pem(request):
            return Response(self._ring.pem(), media_type=PEM_TYPE, headers={"Vary": "Accept"})
        receipts = await self._deployments.keys()
        document = {"keys": [*receipts["keys"], *self._ring.jwks()]}
        return JSONResponse(document, media_type=_KEYS_TYPE, headers={"Vary": "Accept"})

    async def workspaces(self, _services: Services, _request: Request, _principal: Principal) -> Response:
        """GET: every workspace."""
        return JSONResponse({"workspaces": [workspace_document(each) for each in self._workspaces.all()]})

    async def workspace(self, _services: Services, request: Request, _principal: Principal) -> Response:
        """GET: one workspace."""
        try:
            return JSONResponse(workspace_document(self._workspaces.show(request.path_params["workspace"])))
        except WorkspaceRefused as error:
            raise NotFound(str(error)) from None

    async def create_workspace(self, services: Services, request: Request, principal: Principal) -> Response:
        """PUT: a new workspace; for owners."""
        if not principal.owns_registry:
            raise Denied(
                f"principal {principal.name} may not create workspaces: needs the role Owner for all repositories"
            )
        if services.access.is_narrowed(request):
            raise Denied("a token of some scopes may not create workspaces: sign in with the secret itself")
        raw = await read_limited(request, self._settings().request_bytes)
        asked = await self._parsing.read(len(raw), partial(read_workspace, raw))
        name = request.path_params["workspace"]
        try:
            made = await self._workspaces.create(name, principal.name, asked.resource_group, asked.subscription)
        except WorkspaceRefused as error:
            raise BadRequest(str(error)) from None
        return JSONResponse(workspace_document(made), 201)

    async def _recorded(
        self, by: Principal, judged: Judged, releasable: Callable[[Deployment], bool], *, overwrite: bool
    ) -> tuple[Judged, Deployment | None]:
        answer, wanted = judged.answer, judged.wanted
        if not (answer.allowed and wanted):
            return judged, None
        try:
            made = await self._deployments.record(
                by, wanted, answer.verdict, answer.policy, overwrite=overwrite, releasable=releasable
            )
        except (DeploymentRefused, WorkspaceRefused) as error:
            return replace(judged, answer=answer.with_remarks([fail(str(error))], DEPLOYMENT_RULE)), None
        except ManifestUnknown as error:
            return Judged(CheckResult.unresolved(answer.reference, error.message), judged.kind), None
        return judged, made

    def _find(self, services: Services, request: Request, principal: Principal) -> Deployment:
        """The deployment of the path, by its id or the service's name.

        Who may neither pull nor delete its image learns nothing of it.
        """
        identifier = request.path_params["deployment"]
        deployment = self._deployments.find(identifier) or self._deployments.of_service(
            identifier, self._workspaces.default_name
        )
        readable = services.access.readable(request, principal)
        if deployment is None or not (
            readable(deployment.wanted.repository)
            or services.access.permits(request, principal, Action.DELETE, deployment.wanted.repository)
        ):
            raise NotFound(f"there is no deployment {identifier[:80]!r}: basegate deployment ls lists them")
        request_record = request_record_of(request.scope)
        if request_record is not None:
            request_record.repository = deployment.wanted.repository
        return deployment


def wants_pem(request: Request) -> bool:
    """Whether PEM is named in Accept."""
    wanted = ",".join(request.headers.getlist("accept")).lower().split(",")
    return PEM_TYPE in {each.partition(";")[0].strip() for each in wanted}


def _may_release(services: Services, request: Request, principal: Principal, found: Deployment) -> bool:
    """Who recorded it may, and who may delete its image."""
    if not principal.is_anonymous and principal.id == found.recorded_by:
        return True
    return services.access.permits(request, principal, Action.DELETE, found.wanted.repository)


def _answer(judged: Judged, made: Deployment | None) -> dict[str, Any]:
    return {
        **judged.answer.document(),
        "registryKind": None if judged.kind is None else judged.kind.value,
        "pinned": None if judged.wanted is None else judged.wanted.pinned,
        "deployment": None if made is None else deployment_document(made),
        "receipt": None if made is None else made.receipt,
    }
