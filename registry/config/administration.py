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
    results_bytes: int = Field(
        default=33_554_432,
        ge=0,
        description="results of ended runs that are kept in memory (as JSON), the latest; the newest one is kept "
        "whatever its length",
        json_schema_extra=LIVE,
    )
