"""What is recorded of pulls: section `pulls`."""

from pydantic import Field

from registry.config.group import LIVE, Group, Words


class PullSettings(Group):
    """When tags and manifests were last pulled, and by whom."""

    interval_seconds: int = Field(
        default=3600,
        ge=0,
        description="the same pull by the same principal is written once in so long; 0: pulls are not recorded",
        json_schema_extra=LIVE,
    )
    write_seconds: float = Field(
        default=60.0,
        gt=0,
        description="how long pulls wait in memory for each other before they are written",
        json_schema_extra=LIVE,
    )
    uncounted: Words = Field(
        default=(),
        description="names or patterns of principals whose pulls do not count: scanners, replication",
        json_schema_extra=LIVE,
    )
    remembered: int = Field(default=100_000, ge=100, description="pulls that are known to be written, in memory")
