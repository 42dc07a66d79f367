"""The route of signed verdicts: what is attested of a manifest, now and before."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy.attestation.attestations import Attestations
from policy.attestation.forms import Forms
from policy.gateway.checks import Checks
from registry.api.path_parameters import read_reference_of, repository_of
from registry.api.requirements import Requirement
from registry.api.routes import Row
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.oci.errors import BadRequest

_MOST = 1000


def table(handlers: "AttestationHandlers") -> tuple[Row, ...]:
    """Methods, path, what the caller needs, who answers."""
    path = "/policy/v1/repositories/{name:repository}/manifests/{reference}/attestations"
    return (Row("GET HEAD", path, Requirement.PULL, "attestations.list", handlers.page),)


class AttestationHandlers:
    """The handlers."""

    def __init__(self, checks: Checks, attestations: Attestations) -> None:
        self._checks = checks
        self._attestations = attestations

    async def page(self, _services: Services, request: Request, _principal: Principal) -> Response:
        """GET: the signed verdicts on a manifest, the newest first; `n` of them, by default one."""
        repository, reference = repository_of(request), read_reference_of(request)
        count = _count(request)
        digest = await self._checks.resolved(repository, reference)
        current, found = await self._attestations.history(repository, digest, count)
        holds = None if current is None else current.row.id
        listed = [_document(each, published=each.row.id == holds) for each in found]
        return JSONResponse({"repository": repository, "digest": digest, "attestations": listed})


def _document(forms: Forms, *, published: bool) -> dict[str, Any]:
    statement = json.loads(forms.row.statement)
    return {
        "published": published,
        "keyid": forms.row.key,
        "predicate": statement["predicate"],
        "bundle": json.loads(forms.bundle),
    }


def _count(request: Request) -> int:
    text = request.query_params.get("n", "1")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST):
        raise BadRequest(f"n is {text[:40]!r}: needs a number from 1 to {_MOST}")
    return int(text[:9])
