"""The settings of events and of tag history."""

from pydantic import Field, field_validator

from registry.config.group import LIVE, Group
from registry.config.sinks import SinkSettings


class EventSettings(Group):
    """What happened, told in order. How long it is kept: `gc.events_after_seconds`."""

    page: int = Field(
        default=500,
        ge=1,
        le=10_000,
        description="events on one page: the default and the maximum",
        json_schema_extra=LIVE,
    )
    looked_at: int = Field(
        default=10_000,
        ge=1,
        description="events that one page looks at, those that the caller may not see included",
        json_schema_extra=LIVE,
    )
    streams: int = Field(
        default=64,
        ge=0,
        description="streams that are open at the same time; one more gets 503",
        json_schema_extra=LIVE,
    )
    streams_each: int = Field(
        default=16,
        ge=0,
        description="of these, streams of one principal; one more gets 429; 0: no limit but that of all",
        json_schema_extra=LIVE,
    )
    stream_seconds: float = Field(
        default=3600.0,
        gt=0,
        description="how long a stream lasts; clients come again, and their rights are looked at anew",
        json_schema_extra=LIVE,
    )
    keep_alive_seconds: float = Field(
        default=15.0, gt=0, description="a stream without an event gets a comment after so long", json_schema_extra=LIVE
    )
    poll_seconds: float = Field(
        default=0.2, gt=0, description="how often streams look for what is new", json_schema_extra=LIVE
    )
    host: str = Field(
        default="",
        description="HOST[:PORT] of this registry, as sinks of the forms docker and acr are told it; empty: "
        "`auth.service`, or else `listen`",
        json_schema_extra=LIVE,
    )
    webhooks_local: bool = Field(
        default=False,
        description="webhooks made with az may be on this machine or on link-local addresses",
        json_schema_extra=LIVE,
    )
    webhook_deliveries: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="deliveries to each of these that are kept for az acr webhook list-events",
        json_schema_extra=LIVE,
    )
    sinks: tuple[SinkSettings, ...] = Field(
        default=(), description="addresses that are told of events (webhooks)", json_schema_extra=LIVE
    )

    @field_validator("sinks")
    @classmethod
    def _have_names_of_their_own(cls, sinks: tuple[SinkSettings, ...]) -> tuple[SinkSettings, ...]:
        names = [sink.name for sink in sinks]
        if len(set(names)) < len(names):
            raise ValueError("two sinks have one name: the place of each in the events is kept by its name")
        return sinks


class HistorySettings(Group):
    """What tags pointed at before."""

    keep_days: float = Field(
        default=0.0,
        ge=0,
        description="a manifest is not collected for being untagged until so long after a tag has left it; "
        "0: only gc.untagged_after_seconds counts",
        json_schema_extra=LIVE,
    )
    entries_days: float = Field(
        default=365.0,
        ge=0,
        description="entries of the history are forgotten so long after they have ceased to count; 0: never",
        json_schema_extra=LIVE,
    )
    page: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="entries on one page: the default and the maximum",
        json_schema_extra=LIVE,
    )
