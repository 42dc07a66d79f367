"""What every handler of the data plane works with."""

from collections.abc import Callable

from starlette.requests import Request

from policy.azure.data_plane.changes import Change
from policy.azure.data_plane.documents import ENABLED
from policy.azure.data_plane.settings import DataPlaneSettings
from registry.api.services import Services
from registry.auth.actions import Role
from registry.auth.challenge import challenger
from registry.auth.principals import Principal
from registry.content.parsing import Parsing
from registry.oci.errors import Denied
from registry.oci.names import RepositoryName
from registry.telemetry.request_record import note_decision


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
    def require_locker(principal: Principal, name: RepositoryName, change: Change) -> None:
        """Who only judges images changes no locks. Raises Denied."""
        if change.locks and principal.role is Role.ACR_QUARANTINE_WRITER:
            raise Denied(
                f"principal {principal.name} (role {principal.role.value}) may not lock in {name}: it changes "
                "quarantine states only"
            )

    @staticmethod
    def note(request: Request, change: Change) -> None:
        """Let the audit know what is to be changed."""
        words = [
            f"{word}={str(not change.locks[field]).lower()}" for word, field in ENABLED.items() if field in change.locks
        ]
        note_decision(request, " ".join([*words, *([f"quarantineState={change.state}"] if change.state else [])]))

    @staticmethod
    def login_server(services: Services, request: Request) -> str:
        """HOST:PORT of the registry, as its challenges call it."""
        return challenger(request, services.stores.settings.current).service
