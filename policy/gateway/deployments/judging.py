"""May this deployment start from its image? The answer, and what would be recorded."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from policy.deployments.record import Wanted
from policy.gateway.check_result import CheckResult
from policy.gateway.checks import Checks
from policy.gateway.deployments.registry_rules import REGISTRY_RULE, on_registry
from policy.gateway.deployments.request import DeploymentRequest
from policy.gateway.image_source import ImageSource, Kind, answer_for_public, elsewhere, source_of
from policy.gateway.inference_config.pinning import pin
from policy.gateway.inference_config.secrets import without_secrets
from policy.gateway.settings import GatewaySettings
from registry.auth.principals import Principal
from registry.oci.canonical_json import digest_of
from registry.oci.digest import Digest
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName

DEPLOYMENT_RULE = "deployment"
DEPLOYMENT_CONFIG_RULE = "deployment-config"

Puller = Callable[[RepositoryName], Awaitable[Principal]]
"""The caller, when it may pull from a repository; raises otherwise."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer, and what it is about.

    Attributes:
        answer: allowed or not, with everything that was found.
        kind: what the image's registry is to the deployment; `None` when no image is named.
        wanted: what is to be recorded; `None` when the image could not be found.
    """

    answer: CheckResult
    kind: Kind | None = None
    wanted: Wanted | None = None


async def judge(asked: DeploymentRequest, here: str, settings: GatewaySettings, checks: Checks, pull: Puller) -> Judged:
    """The answer to a request.

    Args:
        asked: what is asked.
        here: the name under which this registry was asked.
        settings: the gateway's.
        checks: answers for images of this registry.
        pull: makes sure that the caller may pull.

    Raises:
        Unauthorized, Denied: the caller may not.
    """
    if not asked.config.image:
        nothing = CheckResult(allowed=False, verdict="inconclusive", reference="")
        return Judged(_with_remarks(nothing, asked))
    image = ImageReference.parse(asked.config.image)
    source = source_of(image, here, settings)
    kind = asked.registry if source.kind is Kind.WORKSPACE else source.kind
    answer = await _of_image(image, source, here, checks, pull)
    answer = answer.with_remarks(await checks.on_platform(source.image.repository, answer, asked.config.platform))
    on_login = on_registry(kind, asked.profile, image, asked.config.login)
    answer = _with_remarks(answer.with_remarks(on_login, REGISTRY_RULE), asked)
    return Judged(answer, kind, _wanted(asked, image, source, kind, answer))


async def _of_image(image: ImageReference, source: ImageSource, here: str, checks: Checks, pull: Puller) -> CheckResult:
    if source.kind is Kind.STANDALONE:
        return CheckResult.unresolved(str(image), elsewhere(image, here))
    answer = await checks.check(await pull(source.image.repository), source.image)
    return answer if source.kind is Kind.WORKSPACE else answer_for_public(answer, image, source)


def _with_remarks(answer: CheckResult, asked: DeploymentRequest) -> CheckResult:
    answer = answer.with_remarks(asked.config.remarks)
    answer = answer.with_remarks(asked.deployment.remarks, DEPLOYMENT_CONFIG_RULE)
    return answer.with_remarks(asked.remarks, DEPLOYMENT_RULE)


def _wanted(
    asked: DeploymentRequest, image: ImageReference, source: ImageSource, kind: Kind, answer: CheckResult
) -> Wanted | None:
    if answer.digest is None:
        return None
    digest = Digest(answer.digest)
    pinned = str(replace(image, tag=None, digest=digest))
    return Wanted(
        name=asked.name,
        models=asked.models,
        workspace=asked.workspace,
        compute_type=asked.deployment.compute_type,
        compute_target=asked.deployment.compute_target,
        profile=asked.profile.value,
        registry_kind=kind.value,
        image=asked.config.image,
        pinned=pinned,
        repository=source.image.repository,
        digest=digest,
        configuration=digest_of(without_secrets(pin(asked.document, asked.config, pinned))),
    )
