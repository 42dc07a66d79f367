"""How much a transfer reads of what others have made: section `transfer`."""

from pydantic import Field

from registry.config.group import DAY, LIVE, MEBIBYTE, Group


class TransferSettings(Group):
    """Limits of `basegate import`, `export` and `copy`, and of imports by way of the management endpoint."""

    archive_bytes: int = Field(
        default=64 * 1024 * MEBIBYTE,
        ge=MEBIBYTE,
        description="largest archive that is kept in a temporary file: one from standard input, or a compressed one",
        json_schema_extra=LIVE,
    )
    archive_members: int = Field(
        default=50_000,
        ge=1,
        description="files in one archive; an archive with more is refused",
        json_schema_extra=LIVE,
    )
    document_bytes: int = Field(
        default=4 * MEBIBYTE,
        ge=1024,
        description="largest manifest, index or list of an archive that is read into memory",
        json_schema_extra=LIVE,
    )
    manifests: int = Field(
        default=10_000,
        ge=1,
        description="manifests that one transfer follows, referrers included; past it the transfer ends",
        json_schema_extra=LIVE,
    )
    depth: int = Field(
        default=8, ge=1, le=64, description="indexes within indexes that are followed", json_schema_extra=LIVE
    )
    resume_bytes: int = Field(
        default=MEBIBYTE,
        ge=1,
        description="a blob of so many bytes is gone on with in its middle when its sender was killed",
        json_schema_extra=LIVE,
    )
    resume_seconds: int = Field(
        default=7 * DAY,
        ge=0,
        description="how long it is noted where such a blob goes on, in ~/.local/state/basegate/uploads or imports/ of "
        "the data folder that it goes to",
        json_schema_extra=LIVE,
    )
