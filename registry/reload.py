"""Settings and certificates that change under a running server."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import BaseModel

from registry.settings import RegistrySettings, SettingsInForce
from registry.settings_sources import SettingsError

Listener = Callable[[RegistrySettings], None]


@dataclass(frozen=True, slots=True)
class Change:
    """What a reload came to: dotted keys that count now, and those that wait for a restart."""

    applied: tuple[str, ...]
    waiting: tuple[str, ...]


class Reload:
    """Reads the sources again and puts in force what may change live.

    Args:
        settings: the settings in force.
        read: reads all sources again; raises SettingsError.
        listeners: told of the new settings after they are in force.
    """

    def __init__(
        self,
        settings: SettingsInForce[RegistrySettings],
        read: Callable[[], RegistrySettings],
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._settings = settings
        self._read = read
        self._listeners = tuple(listeners)
        self._log = structlog.get_logger("registry.reload")

    def now(self) -> Change | None:
        """Reload; `None`, and the old settings stay, when the new ones cannot be used. The log says which."""
        try:
            wanted = self._read()
        except SettingsError as error:
            self._log.error("the new settings are refused, the old ones stay in force", reason=str(error))
            return None
        change = compare(self._settings.current, wanted)
        if change.applied:
            self._settings.replace(_adopt(self._settings.current, wanted))
            for listener in self._listeners:
                listener(self._settings.current)
        if change.applied or change.waiting:
            self._log.warning("settings reloaded", applied=list(change.applied), need_a_restart=list(change.waiting))
        return change


def compare(old: BaseModel, new: BaseModel) -> Change:
    """The keys whose values differ, sorted by whether they may change live."""
    changed = list(_changed(old, new, ""))
    return Change(tuple(key for key, live in changed if live), tuple(key for key, live in changed if not live))


def _changed(old: BaseModel, new: BaseModel, path: str) -> Iterator[tuple[str, bool]]:
    for name, is_live, before, after in _fields(old, new):
        if isinstance(before, BaseModel) and isinstance(after, BaseModel) and not is_live:
            yield from _changed(before, after, f"{path}{name}.")
        elif before != after:
            yield f"{path}{name}", is_live


def _adopt(old: RegistrySettings, new: RegistrySettings) -> RegistrySettings:
    return old.model_copy(update=_adopted(old, new))


def _adopted(old: BaseModel, new: BaseModel) -> dict[str, Any]:
    update: dict[str, Any] = {}
    for name, is_live, before, after in _fields(old, new):
        if is_live:
            update[name] = after
        elif isinstance(before, BaseModel) and isinstance(after, BaseModel):
            update[name] = before.model_copy(update=_adopted(before, after))
    return update


def _fields(old: BaseModel, new: BaseModel) -> Iterator[tuple[str, bool, Any, Any]]:
    for name, field in type(old).model_fields.items():
        extra = field.json_schema_extra
        is_live = isinstance(extra, dict) and bool(extra.get("live"))
        yield name, is_live, getattr(old, name), getattr(new, name)
