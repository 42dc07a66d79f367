"""Settings and certificates that change under a running server."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import BaseModel

from registry.config.group import LIVE_WHILE_SET, is_marked_live
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.config.sources import SettingsError

Turn = Callable[[], None]
"""Puts in force what a follower has made ready: at once, and without failing."""

Follower = Callable[[RegistrySettings], Awaitable[Turn | None]]
"""Makes ready for settings that are about to count, changing nothing yet; `None` when there is nothing to do.

Raises SettingsError when they cannot be used; all of them are refused then.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """The result of a reload: dotted keys in force now, and those that need a restart."""

    applied: tuple[str, ...]
    waiting: tuple[str, ...]


class Reload:
    """Reads the sources again and puts all live changes in force, or none.

    Args:
        settings: the settings in force.
        read: reads all sources again; raises SettingsError.
        followers: prepared before the change, and switched together with the settings.
    """

    def __init__(
        self,
        settings: SettingsInForce[RegistrySettings],
        read: Callable[[], RegistrySettings],
        followers: Sequence[Follower] = (),
    ) -> None:
        self._settings = settings
        self._read = read
        self._followers = tuple(followers)
        self._log = structlog.get_logger(__name__)

    async def now(self) -> Change | None:
        """Reload. Returns `None` and keeps the old settings when the new ones cannot be used; the log says why.

        Requests are served under the old settings meanwhile. Do not call it again before it has ended.
        """
        try:
            wanted = self._read()
            change = compare(self._settings.current, wanted)
            adopted = _adopt(self._settings.current, wanted)
            turns = [await follower(adopted) for follower in self._followers]
        except SettingsError as error:
            self._refuse(str(error))
            return None
        except Exception as error:  # noqa: BLE001 - whatever cannot be made ready, the server goes on as before
            self._refuse(f"{type(error).__name__}: {error}")
            return None
        self._turn(change, adopted, [turn for turn in turns if turn is not None])
        return change

    def _turn(self, change: Change, adopted: RegistrySettings, turns: Sequence[Turn]) -> None:
        # No await here: no request sees only some of the new settings.
        if change.applied:
            self._settings.replace(adopted)
        for turn in turns:
            turn()
        if change.applied or change.waiting:
            self._log.warning("settings reloaded", applied=list(change.applied), need_a_restart=list(change.waiting))

    def _refuse(self, reason: str) -> None:
        line = " ".join(reason.split())
        self._log.error("the new settings are refused, the old ones stay in force", reason=line)


def compare(old: BaseModel, new: BaseModel) -> Change:
    """The keys whose values differ: those that are live, and the others."""
    changed = list(_changed(old, new, ""))
    return Change(tuple(key for key, live in changed if live), tuple(key for key, live in changed if not live))


def _changed(old: BaseModel, new: BaseModel, path: str, *, live: bool = False) -> Iterator[tuple[str, bool]]:
    for name, is_live, before, after in _fields(old, new):
        if isinstance(before, BaseModel) and isinstance(after, BaseModel):
            yield from _changed(before, after, f"{path}{name}.", live=live or is_live)
        elif before != after:
            yield f"{path}{name}", live or is_live


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
        before, after = getattr(old, name), getattr(new, name)
        comes_or_goes = (before is None) is not (after is None)
        is_live = is_marked_live(field) and not (field.json_schema_extra == LIVE_WHILE_SET and comes_or_goes)
        yield name, is_live, before, after
