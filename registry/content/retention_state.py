"""What is remembered of retention: its last run in `retention.json`, what was ordered in `retention-orders.json`."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from registry.storage.disk.atomic_file import replace_file

FILE = "retention.json"
ORDERS = "retention-orders.json"


@dataclass(frozen=True, slots=True)
class RetentionState:
    """Times in seconds since the epoch.

    Attributes:
        pulls_since: since when a server has recorded pulls without a gap; 0: none does.
        ended: when the last run by schedule ended; 0: never.
        removed: how many tags and manifests that run removed.
        unkept: how many its rules did not keep.
        refused: why it did nothing, or "".
    """

    pulls_since: float = 0.0
    ended: float = 0.0
    removed: int = 0
    unkept: int = 0
    refused: str = ""


def read_state(data: Path) -> RetentionState:
    """The state; that of the beginning when there is none, or it cannot be read."""
    with suppress(OSError, ValueError, TypeError):
        return RetentionState(**json.loads((data / FILE).read_bytes()))
    return RetentionState()


def save_state(data: Path, state: RetentionState) -> None:
    """Replace the state, durably.

    Raises:
        OSError: it cannot be written.
    """
    replace_file(data / FILE, json.dumps(asdict(state)).encode())


def note_recording(data: Path, now: float, *, recorded: bool) -> None:
    """Note whether pulls are recorded now.

    Raises:
        OSError: it cannot be written.
    """
    state = read_state(data)
    if recorded != (state.pulls_since > 0):
        save_state(data, replace(state, pulls_since=now if recorded else 0.0))


def ordered_days(data: Path) -> int | None:
    """After how many days untagged manifests go by order; `None` when nothing was ordered, or it cannot be read."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        days = json.loads((data / ORDERS).read_bytes())["untagged_days"]
        return days if isinstance(days, int) else None
    return None


def order_days(data: Path, days: int | None) -> None:
    """Order it, or take the order back.

    Raises:
        OSError: it cannot be written.
    """
    replace_file(data / ORDERS, json.dumps({"untagged_days": days}).encode())
