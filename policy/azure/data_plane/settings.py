"""The settings of the data plane (section `azure.data_plane`)."""

from pydantic import Field

from registry.config.group import LIVE, Group


class DataPlaneSettings(Group):
    """Azure Container Registry's own API beside /v2."""

    release_days: int = Field(
        default=30,
        ge=1,
        description="how long an image that a principal with role AcrQuarantineWriter or Owner has let through passes",
        json_schema_extra=LIVE,
    )
    attributes_bytes: int = Field(
        default=16_384,
        ge=1024,
        description="largest body of a change of attributes below /acr/v1; larger ones get 413",
        json_schema_extra=LIVE,
    )
