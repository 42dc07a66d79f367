"""The settings of upstreams: other registries that repositories are filled from as they are pulled."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from registry.config.group import DAY, Group, Words
from registry.oci.errors import NameInvalid
from registry.oci.names import RepositoryName
from registry.oci.platforms import Platform

_GIBIBYTE = 1 << 30


class UpstreamSettings(Group):
    """One upstream, and the repositories that are filled from it: those below its prefix."""

    prefix: str = Field(min_length=1, description="what its repositories are called here: PREFIX/NAME is NAME there")
    path: str = Field(default="", description="what stands before NAME there; empty: nothing")
    url: str = Field(description="HOST:PORT or https://HOST:PORT of the registry; docker.io is Docker Hub")
    namespace: str = Field(default="", description="what ?ns= calls it; empty: the host of url")
    credentials: Path | None = Field(
        default=None, description="file of docker's or podman's form with the credentials for it; absent: anonymously"
    )
    ca_file: Path | None = Field(default=None, description="PEM certificates of authorities trusted for it")
    plain_http: bool = Field(default=False, description="plain HTTP although it is not on this machine")
    ttl_seconds: float = Field(default=600.0, ge=0, description="how long a tag is believed without asking again")
    stale_seconds: float = Field(
        default=7.0 * DAY, ge=0, description="how long after that a tag is still served while the upstream is away"
    )
    wait_seconds: float = Field(
        default=20.0, ge=0, description="how long a pull waits for content that is being fetched; then 503"
    )
    retry_seconds: float = Field(
        default=5.0, ge=0, description="how long after a failure the upstream is left alone; told as Retry-After"
    )
    platforms: Words = Field(
        default=("linux/amd64",),
        description="of an index, the images that are fetched and judged before it is served; others when asked for",
    )
    local_pushes: Literal["refuse", "win"] = Field(
        default="refuse",
        description="pushes to its repositories: refused, or a tag that was pushed here never follows the upstream",
    )
    referrers: int = Field(default=50, ge=0, description="signatures and other referrers fetched for one image")
    image_bytes: int = Field(default=64 * _GIBIBYTE, ge=0, description="largest image, all its blobs together")
    fetches: int = Field(default=4, ge=1, le=32, description="blobs fetched at the same time")
    connect_seconds: float = Field(default=10.0, gt=0, description="until a connection stands")
    silence_seconds: float = Field(default=30.0, gt=0, description="without a byte, before a connection is given up")
    least_rate: int = Field(default=1024, ge=0, description="bytes a second, below which a blob is given up")

    @field_validator("prefix", "path")
    @classmethod
    def _is_repository(cls, name: str) -> str:
        try:
            return RepositoryName.parse(name) if name else name
        except NameInvalid as error:
            raise ValueError(error.message) from None

    @field_validator("platforms")
    @classmethod
    def _are_platforms(cls, platforms: tuple[str, ...]) -> tuple[str, ...]:
        for text in platforms:
            if not 2 <= len(text.split("/")) <= 3 or not all(text.split("/")):
                raise ValueError(f"{text!r} is no platform: needs OS/ARCHITECTURE, as linux/amd64")
        return platforms

    @property
    def host(self) -> str:
        """What `?ns=` calls it."""
        return self.namespace or urlsplit(self.url if "://" in self.url else f"//{self.url}").netloc.lower()

    @property
    def wanted(self) -> tuple[Platform, ...]:
        """`platforms`, in normal form."""
        return tuple(Platform(*text.split("/")).normal for text in self.platforms)

    def covers(self, repository: str) -> bool:
        """Whether a repository is filled from it."""
        return repository.startswith(f"{self.prefix}/")


def upstream_of(upstreams: Iterable[UpstreamSettings], repository: str) -> UpstreamSettings | None:
    """The upstream of a repository, that of the longest prefix; `None` when it has none."""
    covering = [upstream for upstream in upstreams if upstream.covers(repository)]
    return max(covering, key=lambda upstream: len(upstream.prefix), default=None)
