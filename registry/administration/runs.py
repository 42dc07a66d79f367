"""Runs: work that takes longer than a request, one of a kind at a time, whose progress can be asked for.

They are known for as long as the server runs, the last ones of all kinds; what they do is durable by itself.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog

from registry.administration.act import DONE, FAILED, RUNNING
from registry.config.administration import AdministrationSettings
from registry.content.progress import Tell
from registry.errors import BasegateError
from registry.oci.errors import NotFound, OciError, TooManyRequests
from registry.oci.timestamp import timestamp

NOTHING = b"null"


@dataclass(slots=True)
class Run:
    """One run.

    Attributes:
        id: what it is asked for by.
        kind: what it does: `gc.run`.
        by: the name of the principal that began it.
        begun: seconds since the epoch.
        ended: the same, 0 while it runs.
        state: `running`, `done` or `failed`.
        counting, done, total: how far it has come; `total` is 0 when it is not known.
        result: the document that it gave, as JSON; `null` before its end, and when it is not kept any more.
        error: why it failed, for a person.
    """

    id: str
    kind: str
    by: str
    begun: float
    ended: float = 0.0
    state: str = RUNNING
    counting: str = ""
    done: int = 0
    total: int = 0
    result: bytes = NOTHING
    error: str = ""

    def as_json(self) -> bytes:
        """It as a JSON document."""
        head = {
            "run": self.id,
            "kind": self.kind,
            "by": self.by,
            "state": self.state,
            "begun": timestamp(self.begun),
            "ended": timestamp(self.ended) if self.ended else "",
            "progress": {"counting": self.counting, "done": self.done, "total": self.total},
            "error": self.error,
        }
        return json.dumps(head).encode().removesuffix(b"}") + b', "result": ' + self.result + b"}"

    def tell(self, what: str, done: int, total: int) -> None:
        """Note how far it has come."""
        self.counting, self.done, self.total = what, done, total


class Runs:
    """The runs of a server.

    Args:
        settings: returns how many are known at most, the one that runs included, and how long their results may be.
    """

    def __init__(self, settings: Callable[[], AdministrationSettings]) -> None:
        self._settings = settings
        self._runs: dict[str, Run] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._log = structlog.get_logger(__name__)

    def begin(self, kind: str, by: str, work: Callable[[Tell], Awaitable[Any]]) -> Run:
        """Begin a run.

        Raises:
            TooManyRequests: one of this kind is running; it is named.
        """
        for other in self._runs.values():
            if other.kind == kind and other.state == RUNNING:
                raise TooManyRequests(
                    f"{kind} is running already, begun by {other.by} at {timestamp(other.begun)}: wait for run "
                    f"{other.id} to end",
                    {"run": other.id},
                    {"Retry-After": "5"},
                )
        run = Run(secrets.token_hex(8), kind, by, time.time())
        self._runs[run.id] = run
        self._forget()
        self._tasks[run.id] = asyncio.get_running_loop().create_task(self._carry_out(run, work))
        return run

    def find(self, identifier: str) -> Run:
        """One run. Raises NotFound."""
        run = self._runs.get(identifier)
        if run is None:
            raise NotFound(f"there is no run {identifier[:64]}: runs are forgotten when the server ends, and in time")
        return run

    async def wait(self, run: Run, seconds: float) -> None:
        """Until the run has ended, at most so long."""
        task = self._tasks.get(run.id)
        if task is not None and not task.done():
            await asyncio.wait({task}, timeout=seconds)

    async def until_end(self) -> None:
        """Until cancelled; runs are cancelled then, at a point where they leave nothing half done."""
        try:
            await asyncio.Event().wait()
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, run: Run, work: Callable[[Tell], Awaitable[Any]]) -> None:
        try:
            document = await work(run.tell)
            run.result = await asyncio.to_thread(_as_json, document)
            run.state = DONE
            self._let_go(run)
        except asyncio.CancelledError:
            run.state, run.error = FAILED, "the server ends"
            raise
        except (BasegateError, OciError) as error:
            run.state, run.error = FAILED, str(error)
        except Exception as error:  # noqa: BLE001 - told to whoever asks for the run
            self._log.exception("a run failed", kind=run.kind, run=run.id)
            run.state, run.error = FAILED, f"{run.kind} failed ({type(error).__name__}): the server's log says more"
        finally:
            run.ended = time.time()
            self._tasks.pop(run.id, None)

    def _forget(self) -> None:
        ended = [run.id for run in self._runs.values() if run.state != RUNNING]
        for identifier in ended[: max(0, len(self._runs) - self._settings().runs_kept)]:
            del self._runs[identifier]

    def _let_go(self, newest: Run) -> None:
        """Forget the oldest results until the rest is short enough; the newest stays, however long."""
        room = self._settings().results_bytes - sum(len(run.result) for run in self._runs.values())
        for run in self._runs.values():
            if room >= 0:
                return
            if run is not newest:
                room += len(run.result)
                run.result = NOTHING


def _as_json(document: Any) -> bytes:
    return json.dumps(document).encode()
