"""Where everything is: the subscription, the group, the registry and the URLs under which clients reach them."""

from dataclasses import dataclass

from starlette.requests import Request

from policy.azure.management.settings import AzureSettings
from policy.deployments.settings import DeploymentSettings
from registry.auth.challenge import host_of
from registry.config.settings import RegistrySettings
from registry.oci.image_reference import split_port

REGISTRY_TYPE = "Microsoft.ContainerRegistry/registries"


@dataclass(frozen=True, slots=True)
class AzureEnvironment:
    """What the settings say, and the URL of the endpoint as this caller sees it.

    Attributes:
        settings: section `azure`.
        named: section `deployments`: what subscription, group and registry are called.
        url: scheme, host and port of the endpoint, without a slash at the end.
        login_server: HOST:PORT of the registry.
    """

    settings: AzureSettings
    named: DeploymentSettings
    url: str
    login_server: str

    @property
    def registry(self) -> str:
        """Name of the registry."""
        return self.named.registry_name

    @property
    def subscription_id(self) -> str:
        """`/subscriptions/…`."""
        return f"/subscriptions/{self.named.subscription}"

    @property
    def group_id(self) -> str:
        """`/subscriptions/…/resourceGroups/…`."""
        return f"{self.subscription_id}/resourceGroups/{self.named.resource_group}"

    @property
    def registry_id(self) -> str:
        """The registry's resource id."""
        return f"{self.group_id}/providers/{REGISTRY_TYPE}/{self.registry}"


def environment_of(
    request: Request, settings: AzureSettings, named: DeploymentSettings, registry: RegistrySettings
) -> AzureEnvironment:
    """The environment as the caller of this request sees it."""
    url = settings.public_url.rstrip("/") or f"https://{host_of(request)}"
    return AzureEnvironment(settings, named, url, settings.login_server or _login_server(url, registry))


def _login_server(url: str, registry: RegistrySettings) -> str:
    public = registry.server.public_url.rstrip("/").partition("://")[2]
    if public:
        return public
    name = split_port(url.partition("://")[2].partition("/")[0])[0]
    host = f"[{name}]" if ":" in name else name
    return f"{host}:{registry.listen.rpartition(':')[2]}"
