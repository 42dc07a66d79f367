"""Settings of the administration API."""

from pydantic import Field

from registry.config.group import LIVE, Group


class AdministrationSettings(Group):
    """The administration API, `/admin/v1`."""

    request_bytes: int = Field(
        default=262_144, ge=1024, description="longest body of a request; longer ones get 413", json_schema_extra=LIVE
    )
    runs_kept: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="runs (collections, replays, activations) that can be asked for, the latest",
        json_schema_extra=LIVE,
    )
