"""basegate put together: the registry, the policy's gate in it, and the gateway beside it."""

from policy.settings import Settings
from registry.app import RegistryApp
from registry.app import build as build_registry


def build(settings: Settings) -> RegistryApp:
    """Build everything over the data folder of the settings; the caller closes it."""
    return build_registry(settings)
