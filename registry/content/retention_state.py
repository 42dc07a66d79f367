"""What is remembered of retention: its last run in `retention.json`, what was ordered in `retention-orders.json`."""

import fcntl
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

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
    days = _orders(data).get("untagged_days")
    return days if isinstance(days, int) else None


def order_days(data: Path, days: int | None) -> None:
    """Order it, or take the order back.

    Raises:
        OSError: it cannot be written.
    """
    _save_orders(data, {"untagged_days": days})


def ordered_undo(data: Path) -> tuple[int, bool] | None:
    """For how many days what is deleted can be brought back by order, and whether what is deleted from now on can.

    `None` when nothing was ordered, or it cannot be read.
    """
    orders = _orders(data)
    days, kept = orders.get("undo_days"), orders.get("undo")
    return (days, kept) if isinstance(days, int) and isinstance(kept, bool) else None


def order_undo(data: Path, days: int, *, kept: bool) -> None:
    """Order it.

    Raises:
        OSError: it cannot be written.
    """
    _save_orders(data, {"undo_days": days, "undo": kept})


def _orders(data: Path) -> Mapping[str, Any]:
    with suppress(OSError, ValueError):
        orders = json.loads((data / ORDERS).read_bytes())
        return orders if isinstance(orders, dict) else {}
    return {}


def _save_orders(data: Path, orders: Mapping[str, Any]) -> None:
    """Add to what was ordered; concurrent orders, of other processes too, come one after the other."""
    path = data / ORDERS
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        replace_file(path, json.dumps({**_orders(data), **orders}).encode())
