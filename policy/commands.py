"""How the command line finds its commands: by a table of places, each imported when it is used."""

from collections.abc import Mapping
from importlib import import_module

import click


class Commands(click.Group):
    """A group whose commands are named as `module:attribute`, so that starting one does not import the others."""

    def __init__(self, places: Mapping[str, str], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The table's order."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now."""
        place = self._places.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command
