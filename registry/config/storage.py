"""The settings of storage: the disk, and object stores."""

import re
from pathlib import Path

from pydantic import Field, field_validator

from registry.config.group import LIVE, MEBIBYTE, Group

_ENDPOINT = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")


class StorageSettings(Group):
    """How bytes are kept."""

    threads: int = Field(default=8, ge=1, le=256, description="worker threads for blocking file work")
    manifest_cache_bytes: int = Field(
        default=64 * MEBIBYTE, ge=0, description="memory for manifests that are read again and again"
    )
    sync_bytes: int = Field(
        default=8 * MEBIBYTE, ge=0, description="start writing an upload back to disk after so many bytes"
    )
    journal_bytes: int = Field(
        default=32 * MEBIBYTE,
        ge=0,
        description="small blobs that may wait in the database for the sync of their files; 0: none waits",
        json_schema_extra=LIVE,
    )
    journal_seconds: float = Field(
        default=60.0,
        gt=0,
        description="how long small blobs wait at most for the sync of their files",
        json_schema_extra=LIVE,
    )
    busy_seconds: float = Field(
        default=5.0,
        gt=0,
        description="how long a change waits for a lock on the database that another process, or node, holds; then 503",
    )
    copy_seconds: float = Field(
        default=30.0,
        ge=0,
        le=60,
        description="how far the copy of the rows may be behind, from which a lost database is rebuilt; 0: no copy",
        json_schema_extra=LIVE,
    )
    reserve_bytes: int = Field(
        default=16 * MEBIBYTE,
        ge=0,
        description="room kept so that a full disk can be freed, a sixteenth of the disk at most; 0: none",
        json_schema_extra=LIVE,
    )
    cache_seconds: int = Field(
        default=31_536_000,
        ge=0,
        description="Cache-Control max-age of content named by its digest",
        json_schema_extra=LIVE,
    )
    url: str = Field(
        default="",
        description="object store for blobs: s3://BUCKET/PREFIX, az://CONTAINER/PREFIX or gs://BUCKET/PREFIX; empty: "
        "files of the data folder; needs the extra basegate[cluster]",
    )
    endpoint: str = Field(
        default="", description="URL of the store's server, where it is not that of the cloud: http://localhost:9000"
    )
    region: str = Field(default="us-east-1", description="region of an S3 store, unless AWS_REGION is set")
    credentials: Path | None = Field(
        default=None,
        description="file with lines NAME=VALUE, named as in the environment (AWS_ACCESS_KEY_ID, "
        "AZURE_STORAGE_ACCOUNT_NAME, GOOGLE_SERVICE_ACCOUNT); absent: the environment itself",
    )
    redirect: bool = Field(
        default=False,
        description="send clients that the gate lets have a large blob to the store, with a signed URL",
        json_schema_extra=LIVE,
    )
    redirect_bytes: int = Field(
        default=MEBIBYTE,
        ge=0,
        description="smallest blob that clients are sent for",
        json_schema_extra=LIVE,
    )
    redirect_seconds: int = Field(
        default=60, ge=1, le=3600, description="how long a signed URL is good", json_schema_extra=LIVE
    )
    redirect_endpoint: str = Field(
        default="", description="URL of the store's server as clients reach it; empty: endpoint"
    )
    blob_cache_bytes: int = Field(
        default=4096 * MEBIBYTE,
        ge=0,
        description="copies of an object store's blobs in the data folder, half of the free room at most; 0: none",
        json_schema_extra=LIVE,
    )
    timeout_seconds: float = Field(
        default=30.0, gt=0, description="how long the store may be silent within a request; then 503"
    )
    part_bytes: int = Field(
        default=16 * MEBIBYTE,
        ge=5 * MEBIBYTE,
        description="blobs up to this size go to the store in one request, larger ones in parts of it, two at once",
    )

    @field_validator("endpoint", "redirect_endpoint")
    @classmethod
    def _require_address(cls, value: str) -> str:
        if value and not _ENDPOINT.fullmatch(value):
            raise ValueError("needs http://HOST:PORT or https://HOST:PORT")
        return value
