"""The settings that a server was started with, kept in its data folder for commands beside it.

Without them `basegate tag rm --data DATA` would not know that the tag is immutable, nor where the audit log is.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from registry.config.reload import Turn
from registry.config.settings import RegistrySettings
from registry.storage.disk.atomic_file import replace_file

FILE = "settings-in-use.json"
_OF_THE_SERVER = {"data", "listen", "tls_cert", "tls_key"}
"""What says nothing to a command: where the folder is, and how it is served."""


def record(settings: RegistrySettings) -> None:
    """Keep these settings; a failure is only logged."""
    document = _plain(settings.model_dump(exclude_defaults=True, exclude=_OF_THE_SERVER))
    try:
        replace_file(settings.data / FILE, json.dumps(document, indent=1).encode())
    except OSError as error:  # disk full: the server still serves reads
        structlog.get_logger(__name__).warning(
            "the settings in use cannot be kept for commands: free the disk, then reload", reason=error.strerror
        )


async def follow(settings: RegistrySettings) -> Turn | None:
    """Keep changed settings (a follower of a reload)."""
    return lambda: record(settings)


def recorded(data: Path) -> Path | None:
    """The file, as a source of settings; `None` when there is none."""
    file = data / FILE
    return file if file.is_file() else None


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value.absolute())  # a command may run in another folder
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
