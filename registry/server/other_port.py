"""A second address, served for an extension: its socket and its certificate."""

import socket
from collections.abc import Callable
from pathlib import Path

from registry.config.reload import Turn
from registry.config.settings import RegistrySettings
from registry.config.sources import SettingsError
from registry.errors import BasegateError
from registry.extension import Port
from registry.server.startup import CannotStart, Certificate, bind_to


class OtherPort:
    """One address, bound.

    Args:
        port: the address and the application.
        settings: name the certificate.

    Raises:
        CannotStart: the address or the certificate cannot be used.
    """

    def __init__(self, port: Port, settings: RegistrySettings) -> None:
        self.port = port
        try:
            self.certificate = Certificate(*port.certificate(settings))
        except BasegateError as error:
            raise CannotStart(str(error)) from error
        self.listening: socket.socket = bind_to(port.listen, settings.server.backlog, "set another in the settings")

    def reload(self, settings: RegistrySettings, loaded: Callable[[], None]) -> Turn | None:
        """Use the certificate of these settings for new connections.

        Raises:
            SettingsError: they cannot be used.
        """
        try:
            chain, key = self.port.certificate(settings)
            if self.certificate.files == (chain, key):
                return None
            Certificate(chain, key)
        except BasegateError as error:
            raise SettingsError(str(error)) from None
        return lambda: self._turn(chain, key, loaded)

    def _turn(self, chain: Path, key: Path, loaded: Callable[[], None]) -> None:
        self.certificate.turn_to(chain, key)
        loaded()
