"""All settings of basegate: those of the registry, and those of the policies and the gateway."""

from pydantic import Field

from policy.bindings import Bindings
from policy.gateway.settings import GatewaySettings
from policy.judging_settings import JudgingSettings
from policy.policies import known_policies
from policy.standing import StandingOrders
from registry.settings import RegistrySettings
from registry.settings_group import LIVE


class Settings(RegistrySettings):
    """What `config/basegate.yaml`, `BASEGATE_*` and the flags of `basegate serve` set together."""

    policy: JudgingSettings = Field(
        default=JudgingSettings(), description="which policy counts where", json_schema_extra=LIVE
    )
    gateway: GatewaySettings = Field(
        default=GatewaySettings(), description="the doors to a deployment", json_schema_extra=LIVE
    )

    def examine(self) -> None:
        """Look for the policies.

        Raises:
            PolicyRefused: one is not known, or cannot be used.
        """
        Bindings(self.policy, known_policies(self.policy.folder), StandingOrders())
