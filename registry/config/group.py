"""The parts of settings: frozen groups, lists that may be written as text, and the mark of live settings."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.fields import FieldInfo

MEBIBYTE = 1 << 20
DAY = 24 * 60 * 60

LIVE: dict[str, Any] = {"live": True}


# Its value may change live; adding or removing it needs a restart.
LIVE_WHILE_SET: dict[str, Any] = {"live": "while set"}


def is_marked_live(field: FieldInfo) -> bool:
    """Whether a setting, or a whole group, may change under a running server."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("live"))


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _network(value: Any) -> Any:
    return ip_network(value, strict=False) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(_split)]


class Group(BaseModel):
    """A frozen group of settings; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
