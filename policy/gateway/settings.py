"""The settings of the gateway (section `gateway`)."""

from pydantic import Field

from registry.config.group import Group, Words


class GatewaySettings(Group):
    """The doors through which an image is referenced for a deployment."""

    hosts: Words = Field(
        default=(),
        description="names (HOST or HOST:PORT) that mean this registry in image references, beside the name a request "
        "came in under and loopback names with the same port",
    )
    request_bytes: int = Field(
        default=256 * 1024,
        ge=1024,
        description="largest body of a check, the inference configuration included; larger ones get 413",
    )
    yaml_bytes: int = Field(
        default=65_536,
        ge=1024,
        description="longest inference configuration in YAML; a longer one must be JSON",
    )
