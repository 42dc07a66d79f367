"""The settings of deployments (section `deployments`)."""

from pydantic import Field

from registry.config.group import DAY, Group


class DeploymentSettings(Group):
    """What is kept of deployments, and what Azure's words for this registry and its workspaces are."""

    receipt_seconds: int = Field(
        default=30 * DAY,
        ge=60,
        description="how long a receipt is valid; asking again for the same deployment renews it",
    )
    most: int = Field(
        default=1000,
        ge=1,
        description="deployments that may be recorded at a time; more are refused until some are released",
    )
    released_kept: int = Field(
        default=1000, ge=0, description="records of released deployments that are kept, the latest ones"
    )
    workspaces_most: int = Field(default=100, ge=1, description="workspaces there may be")
    workspace: str = Field(
        default="default",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,32}$",
        description="the workspace of deployments that name none; it is there without being created",
    )
    subscription: str = Field(
        default="00000000-0000-0000-0000-000000000000",
        pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        description="the subscription in the ids of workspaces and of their registry",
    )
    resource_group: str = Field(
        default="default",
        pattern=r"^[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]$",
        description="the resource group in them, unless a workspace is created with another",
    )
    registry_name: str = Field(
        default="basegate",
        pattern=r"^[A-Za-z0-9]{5,50}$",
        description="what this registry is called in the ids of workspaces (`containerRegistry`)",
    )
