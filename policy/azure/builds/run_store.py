"""Runs and their logs in the data folder: `builds/runs/ID/run.json` and `log`."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from policy.azure.builds.run import Run, RunStatus, duration, run_id
from registry.storage.disk.atomic_file import replace_file

_LAST = "last"
_LOG, _RECORD = "log", "run.json"
_INTERRUPTED = "the server ended while this run was under way: build again"


class RunStore:
    """Keeps them.

    Args:
        folder: made when it is absent. Runs that were under way when the server ended are over, as errors.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._runs = {run.id: run for run in sorted(self._read(), key=lambda run: run.created)}
        for run in self._runs.values():
            if not run.status.is_over:
                self._end(run)

    def begin(self, owner: str, owner_name: str, platform: str) -> Run:
        """A new run, recorded."""
        run = Run(run_id(self._next()), owner, owner_name, [], platform, time.time())
        (self._folder / run.id).mkdir(mode=0o700)
        self._runs[run.id] = run
        self.save(run)
        self.log_of(run.id).touch(0o600)
        return run

    def save(self, run: Run) -> None:
        """Record how it stands."""
        replace_file(self._folder / run.id / _RECORD, json.dumps(run.document()).encode(), durable=False)

    def find(self, run: str) -> Run | None:
        """The run of an id."""
        return self._runs.get(run)

    def newest(self) -> list[Run]:
        """All of them, the newest first."""
        return list(reversed(self._runs.values()))

    def log_of(self, run: str) -> Path:
        """Where its log is."""
        return self._folder / run / _LOG

    def trim(self, keep: int) -> None:
        """Forget the oldest that are over, so that so many are left."""
        over = [run for run in self._runs.values() if run.status.is_over]
        for run in over[: max(0, len(self._runs) - keep)]:
            del self._runs[run.id]
            shutil.rmtree(self._folder / run.id, ignore_errors=True)

    def _next(self) -> int:
        """Numbers are not given twice, whatever was forgotten."""
        path = self._folder / _LAST
        try:
            number = int(path.read_text(encoding="ascii")) + 1
        except (OSError, ValueError):
            number = len(self._runs) + 1
        while (self._folder / run_id(number)).exists():
            number += 1
        path.write_text(str(number), encoding="ascii")
        return number

    def _read(self) -> Iterator[Run]:
        for path in self._folder.glob(f"*/{_RECORD}"):
            try:
                yield Run.from_document(json.loads(path.read_bytes()))
            except (OSError, ValueError, TypeError, KeyError) as error:
                structlog.get_logger(__name__).warning("a run cannot be read", path=str(path), reason=str(error))

    def _end(self, run: Run) -> None:
        run.status, run.finished = RunStatus.ERROR, time.time()
        took = duration(run.finished - (run.started or run.created))
        with self.log_of(run.id).open("a", encoding="utf-8") as log:
            log.write(f"Run ID: {run.id} failed after {took}. Error: {_INTERRUPTED}\r\n")
        self.save(run)
