"""The settings of sinks: addresses that are told of events."""

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from registry.config.group import Group, Words

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class SinkSettings(Group):
    """One address that is told of events by POST (a webhook): docs/events.md."""

    name: str = Field(description="what it is called: lower-case letters, digits and hyphens; its place is kept by it")
    url: str = Field(description="https://HOST/PATH, or http:// where nobody listens in")
    format: Literal["cloudevents", "docker", "acr"] = Field(
        default="cloudevents", description="CloudEvents 1.0, or the notifications of distribution or of ACR"
    )
    kinds: Words = Field(default=("*",), description="patterns of kinds of events, as tag.*")
    repositories: Words = Field(default=("*",), description="repository patterns")
    headers: dict[str, Path] = Field(default={}, description="further header fields: name, and file with its value")
    secret: Path | None = Field(
        default=None, description="file with the secret that deliveries are signed with (Standard Webhooks: whsec_…)"
    )
    ca_file: Path | None = Field(default=None, description="PEM certificates of authorities trusted for it")
    local: bool = Field(default=False, description="it may be on this machine or on a link-local address")
    timeout_seconds: float = Field(default=10.0, gt=0, description="for any one step of a delivery")
    give_up_seconds: float = Field(
        default=0.0, ge=0, description="an event that cannot be delivered for so long is given up; 0: never"
    )

    @field_validator("name")
    @classmethod
    def _is_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a sink: needs lower-case letters, digits and hyphens")
        return name

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("needs https://HOST/PATH or http://HOST/PATH")
        if parts.username is not None:
            raise ValueError("credentials do not belong into a url: put an Authorization header into a file")
        return url
