"""All settings of basegate: those of the registry, and those of the policies and the gateway."""

from pydantic import Field

from policy.assessment.settings import JudgingSettings
from policy.attestation.settings import AttestSettings
from policy.azure.data_plane.settings import DataPlaneSettings
from policy.azure.management.settings import AzureSettings
from policy.definition.policy import known_policies
from policy.deployments.settings import DeploymentSettings
from policy.enforcement.assignments import Assignments
from policy.enforcement.operator_file import OperatorFile
from policy.gateway.settings import ClientSettings, GatewaySettings
from policy.kubernetes.settings import KubernetesSettings
from policy.search.settings import SearchSettings
from policy.web.settings import WebSettings
from registry.config.group import LIVE
from registry.config.settings import RegistrySettings


class Settings(RegistrySettings):
    """What `config/basegate.yaml`, `BASEGATE_*` and the flags of `basegate serve` set together."""

    policy: JudgingSettings = Field(
        default=JudgingSettings(), description="which policy counts where", json_schema_extra=LIVE
    )
    gateway: GatewaySettings = Field(
        default=GatewaySettings(), description="the doors to a deployment", json_schema_extra=LIVE
    )
    kubernetes: KubernetesSettings = Field(
        default=KubernetesSettings(), description="what Kubernetes asks before it starts a Pod", json_schema_extra=LIVE
    )
    azure: AzureSettings = Field(default=AzureSettings(), description="the endpoint that az takes for Azure")
    deployments: DeploymentSettings = Field(
        default=DeploymentSettings(), description="records of what is deployed", json_schema_extra=LIVE
    )
    attest: AttestSettings = Field(
        default=AttestSettings(), description="verdicts signed for other verifiers", json_schema_extra=LIVE
    )
    search: SearchSettings = Field(
        default=SearchSettings(), description="the search for images", json_schema_extra=LIVE
    )
    web: WebSettings = Field(default=WebSettings(), description="the pages for people")
    client: ClientSettings = Field(
        default=ClientSettings(), description="what commands such as `basegate check` ask", json_schema_extra=LIVE
    )

    def examine(self) -> None:
        """Look for the policies.

        Raises:
            PolicyRefused: one is not known, or cannot be used.
        """
        Assignments(self.policy, known_policies(self.policy.folder), OperatorFile())


def judging_section(settings: RegistrySettings) -> JudgingSettings:
    """The section `policy` of settings that the registry hands round as its own."""
    return _whole(settings).policy


def gateway_section(settings: RegistrySettings) -> GatewaySettings:
    """The section `gateway` of the same."""
    return _whole(settings).gateway


def kubernetes_section(settings: RegistrySettings) -> KubernetesSettings:
    """The section `kubernetes` of the same."""
    return _whole(settings).kubernetes


def deployments_section(settings: RegistrySettings) -> DeploymentSettings:
    """The section `deployments` of the same."""
    return _whole(settings).deployments


def attest_section(settings: RegistrySettings) -> AttestSettings:
    """The section `attest` of the same."""
    return _whole(settings).attest


def data_plane_section(settings: RegistrySettings) -> DataPlaneSettings:
    """The section `azure.data_plane` of the same."""
    return _whole(settings).azure.data_plane


def azure_section(settings: RegistrySettings) -> AzureSettings:
    """The section `azure` of the same."""
    return _whole(settings).azure


def search_section(settings: RegistrySettings) -> SearchSettings:
    """The section `search` of the same."""
    return _whole(settings).search


def web_section(settings: RegistrySettings) -> WebSettings:
    """The section `web` of the same."""
    return _whole(settings).web


def _whole(settings: RegistrySettings) -> Settings:
    if not isinstance(settings, Settings):
        raise TypeError(f"these are settings of the registry alone, of {Settings.__name__} is needed")
    return settings
