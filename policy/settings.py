"""All settings of basegate: those of the registry, and those of the policies and the gateway."""

from pydantic import Field

from policy.gateway.settings import GatewaySettings
from policy.judging_settings import JudgingSettings
from registry.settings import LIVE, RegistrySettings


class Settings(RegistrySettings):
    """What `config/basegate.yaml`, `BASEGATE_*` and the flags of `basegate serve` set together."""

    policy: JudgingSettings = Field(
        default=JudgingSettings(), description="which policy counts where", json_schema_extra=LIVE
    )
    gateway: GatewaySettings = Field(
        default=GatewaySettings(), description="the doors to a deployment", json_schema_extra=LIVE
    )
