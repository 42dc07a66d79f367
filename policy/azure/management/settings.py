"""The settings of the management endpoint (section `azure`)."""

from pathlib import Path

from pydantic import Field

from policy.azure.builds.settings import BuildSettings
from policy.azure.data_plane.settings import DataPlaneSettings
from policy.azure.imports.settings import ImportSettings
from registry.config.group import DAY, LIVE, LIVE_WHILE_SET, Group

_GUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_HOST = r"^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$|^$"


class AzureSettings(Group):
    """The port that az and the Azure SDKs take for Azure; off unless `listen` is set."""

    listen: str = Field(
        default="", description="HOST:PORT of the management endpoint, always HTTPS; empty: there is none"
    )
    tls_cert: Path | None = Field(
        default=None,
        description="PEM certificate chain of the endpoint; default: the registry's, else DATA/tls/server.crt",
        json_schema_extra=LIVE_WHILE_SET,
    )
    tls_key: Path | None = Field(
        default=None, description="PEM private key of that certificate", json_schema_extra=LIVE_WHILE_SET
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https://[^\s\"'<>]+)?$",
        description="URL under which clients reach the endpoint; empty: taken from each request",
        json_schema_extra=LIVE,
    )
    login_server: str = Field(
        default="",
        pattern=_HOST,
        description="HOST:PORT under which clients reach the registry; empty: that of server.public_url, else the host "
        "of the request with the port of listen",
        json_schema_extra=LIVE,
    )
    cloud: str = Field(
        default="basegate",
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,31}$",
        description="name of the cloud, as in az cloud register --name",
        json_schema_extra=LIVE,
    )
    tenant: str = Field(
        default="ba5e9a7e-0000-4000-8000-000000000002",
        pattern=_GUID,
        description="id of the tenant; signing in works with any other as well",
        json_schema_extra=LIVE,
    )
    location: str = Field(
        default="local", pattern=r"^[a-z0-9]{1,32}$", description="location of all resources", json_schema_extra=LIVE
    )
    token_seconds: int = Field(
        default=3600, ge=60, description="life of a token of the endpoint", json_schema_extra=LIVE
    )
    session_seconds: int = Field(
        default=DAY,
        ge=600,
        description="how long a person stays signed in without a secret; no longer than the secret lives",
        json_schema_extra=LIVE,
    )
    sign_in_seconds: float = Field(default=900.0, gt=0, description="how long a sign-in that was begun may take")
    sign_ins: int = Field(default=1000, ge=1, description="sign-ins that may be under way; the oldest are forgotten")
    request_bytes: int = Field(
        default=256 * 1024,
        ge=1024,
        description="largest body of a management request; a larger one gets 413",
        json_schema_extra=LIVE,
    )
    data_plane: DataPlaneSettings = Field(
        default=DataPlaneSettings(),
        description="Azure Container Registry's own API beside /v2, which is always served",
        json_schema_extra=LIVE,
    )
    admin_user: bool = Field(
        default=False,
        description="an account called as the registry (deployments.registry_name), with two passwords that are kept "
        "readable in the data folder, which pulls, pushes and deletes everywhere; false: as az acr update has left it",
    )
    imports: ImportSettings = Field(
        default=ImportSettings(), description="imports from other registries (az acr import)", json_schema_extra=LIVE
    )
    builds: BuildSettings = Field(default=BuildSettings(), description="quick builds (az acr build)")
