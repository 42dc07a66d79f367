"""The settings of rows: where repositories, manifests, tags and principals are kept."""

import re
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, model_validator

from registry.config.group import LIVE, Group

_FORM = re.compile(r"postgresql://([^:/?#@\s]+@)?[^/?#@\s]*(/[^/?#@\s]*)?(\?[^#\s]*)?")
_SECRETS = {"password", "sslpassword"}


class MetadataSettings(Group):
    """Where rows are kept. What is wrong with a URL is told without it: it may hold a password."""

    url: str = Field(
        default="",
        description="PostgreSQL database for rows: postgresql://USER@HOST:PORT/NAME, without a password; empty: a file "
        "of the data folder; needs the extra basegate[cluster]",
    )
    password_file: Path | None = Field(
        default=None, description="file with the password of that user; absent: the environment's PGPASSWORD, if any"
    )
    connections: int = Field(
        default=8,
        ge=1,
        le=200,
        description="connections for look-ups; one more writes, two ask for tags and uploads, and one listens",
    )
    silence_seconds: float = Field(
        default=1.0,
        ge=0.5,
        le=60,
        description="a database that has not answered for so long counts as away: everything gets 503",
    )
    lease_seconds: float = Field(
        default=10.0,
        ge=2,
        le=600,
        description="a node that has not been heard of for so long loses the layers it inspects to another",
    )
    copy_seconds: float = Field(
        default=300.0,
        ge=0,
        description="how long changed rows may wait for the next copy of all rows in the object store, from which a "
        "lost database is rebuilt; 0: no copy",
        json_schema_extra=LIVE,
    )

    @model_validator(mode="after")
    def _refuse_secrets(self) -> Self:
        if not self.url:
            return self
        named = {name for name, _ in parse_qsl(urlsplit(self.url).query, keep_blank_values=True)}
        if not _FORM.fullmatch(self.url) or named & _SECRETS:
            raise ValueError(
                "url needs postgresql://USER@HOST:PORT/NAME, without a password: name a file in password_file, or set "
                "PGPASSWORD"
            )
        return self
