"""The operator file: activated policies and exemptions, set by command.

It is a small file beside policy.db, because policy.db may be deleted and this may not. The file is replaced as a whole:
a reader sees the old content or the new.
"""

import fcntl
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from policy.enforcement.exemptions import Exemption
from registry.errors import BasegateError
from registry.storage.disk.atomic_file import replace_file

FILE = "standing-orders.json"
_LOOK_AGAIN = 0.2


class OperatorFileRefused(BasegateError, ValueError):
    """The file cannot be read, or not be changed as requested; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Activation:
    """A policy activated for the repositories of a pattern; stored whole, so its own file is no longer needed."""

    repositories: str
    name: str
    digest: str
    content: dict[str, Any]
    since: float


@dataclass(frozen=True, slots=True)
class OperatorFile:
    """The content of the operator file."""

    activations: tuple[Activation, ...] = ()
    exemptions: tuple[Exemption, ...] = ()

    def with_activation(self, activation: Activation) -> "OperatorFile":
        """A copy with one pattern's policy replaced."""
        others = tuple(item for item in self.activations if item.repositories != activation.repositories)
        return replace(self, activations=(*others, activation))

    def without_activation(self, repositories: str) -> "OperatorFile":
        """A copy without one pattern's policy. Raises OperatorFileRefused when there is none."""
        patterns = [item.repositories for item in self.activations]
        if repositories not in patterns:
            activated = f"patterns with one are {', '.join(patterns)}" if patterns else "no policy is active by command"
            raise OperatorFileRefused(f"no policy was activated for {repositories}: {activated}")
        return replace(self, activations=tuple(i for i in self.activations if i.repositories != repositories))

    def with_exemption(self, exemption: Exemption) -> "OperatorFile":
        """A copy with one more exemption."""
        return replace(self, exemptions=(*self.exemptions, exemption))

    def without_exemption(self, identifier: str) -> "OperatorFile":
        """A copy without one exemption. Raises OperatorFileRefused when there is no such exemption."""
        if identifier not in {item.id for item in self.exemptions}:
            raise OperatorFileRefused(f"there is no exemption {identifier}: basegate policy exemptions lists them")
        return replace(self, exemptions=tuple(item for item in self.exemptions if item.id != identifier))


def read_orders(path: Path) -> OperatorFile:
    """Read an operator file; empty when there is none.

    Raises:
        OperatorFileRefused: the file is not what `change_orders` writes.
    """
    try:
        return parse_orders(path.read_bytes())
    except FileNotFoundError:
        return OperatorFile()
    except (OSError, ValueError) as error:
        raise OperatorFileRefused(f"{path} cannot be read ({error}): restore it from a copy or remove it") from None


def parse_orders(raw: bytes) -> OperatorFile:
    """What `orders_as_json` wrote. Raises ValueError."""
    document = json.loads(raw)
    try:
        return OperatorFile(
            tuple(Activation(**item) for item in document["activations"]),
            tuple(Exemption(**item) for item in document["exemptions"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(str(error)) from None


def orders_as_json(orders: OperatorFile) -> bytes:
    """The content of the file."""
    return json.dumps(asdict(orders), indent=2).encode()


def change_orders(path: Path, change: Callable[[OperatorFile], OperatorFile]) -> OperatorFile:
    """Change the file durably; concurrent changes of other processes are serialised."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        orders = change(read_orders(path))
        replace_file(path, orders_as_json(orders), 0o666, draft=path.with_suffix(".new"))
    return orders


class OperatorFileInForce:
    """The operator file in force; checks for changes by other processes at most every 0.2 seconds."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            OperatorFileRefused: it cannot be read; later faults keep the earlier content.
        """
        self._path = path
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._orders = read_orders(path)
        self._next_look = 0.0
        self.changes = 0

    def current(self) -> OperatorFile:
        """The current content."""
        if time.monotonic() >= self._next_look:
            self._look()
        return self._orders

    def change(self, change: Callable[[OperatorFile], OperatorFile]) -> OperatorFile:
        """`change_orders`, which counts here at once."""
        orders = change_orders(self._path, change)
        self._look()
        return orders

    def _look(self) -> None:
        with self._lock:
            self._next_look = time.monotonic() + _LOOK_AGAIN
            stamp = self._stamp()
            if stamp == self._seen:
                return
            try:
                self._orders = read_orders(self._path)
            except OperatorFileRefused:
                return
            self._seen = stamp
            self.changes += 1

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
