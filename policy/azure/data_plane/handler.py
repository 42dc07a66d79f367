"""What every handler of the data plane works with."""

from collections.abc import Callable

from starlette.requests import Request

from policy.azure.data_plane.settings import DataPlaneSettings
from registry.api.services import Services
from registry.auth.challenge import challenger
from registry.content.parsing import Parsing


class Handlers:
    """Handlers of one noun.

    Args:
        settings: the section `azure.data_plane` that counts now.
        parsing: reads long bodies beside the event loop.
    """

    def __init__(self, settings: Callable[[], DataPlaneSettings], parsing: Parsing) -> None:
        self.settings = settings
        self.parsing = parsing

    @staticmethod
    def login_server(services: Services, request: Request) -> str:
        """HOST:PORT of the registry, as its challenges call it."""
        return challenger(request, services.stores.settings.current).service
