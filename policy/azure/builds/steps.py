"""One step of a build as a process: its output into the log, its use measured, its end whatever happens."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from policy.azure.builds import jail
from policy.azure.builds.run import RunStatus, duration
from policy.azure.builds.run_log import LogFull, RunLog
from policy.azure.builds.settings import BuildSettings
from policy.azure.builds.usage import Growth, Usage, measure

_PIECE = 65_536
_LEAST_PAUSE = 0.5
_ENDING_SECONDS = 10.0


class StepEnded(Exception):
    """A step that did not come to a good end.

    Args:
        status: what the run is then.
        reason: for the last line of the log.
    """

    def __init__(self, status: RunStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Step:
    """What is run.

    Attributes:
        command: program and arguments.
        jailed: whether it is set apart from the machine.
        network: whether it reaches the network.
        environment: what it is told beside.
    """

    command: Sequence[str]
    jailed: bool
    network: bool
    environment: Mapping[str, str]


class Steps:
    """Runs the steps of one build, one after another.

    Args:
        folder: of the build.
        settings: the limits.
        log: gets what is printed.
        ends: when the build must be over (`time.monotonic`).
        canceled: set when somebody does not want it any more.
        growth: what the daemon that builds has more meanwhile.

    Attributes:
        killed: whether a step was ended from here: what a daemon does for it may go on for a moment.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        folder: Path,
        settings: BuildSettings,
        log: RunLog,
        ends: float,
        canceled: asyncio.Event,
        growth: Growth,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._log = log
        self._ends = ends
        self._canceled = canceled
        self._growth = growth
        self.killed = False

    async def run(self, step: Step) -> None:
        """Run a step to its end.

        Raises:
            StepEnded: it failed, took too much of anything, or was canceled.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command(step),
            cwd=self._folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **step.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        reading = asyncio.create_task(self._read(process))
        others = [asyncio.create_task(work) for work in (self._watch(process.pid), self._wait_for_cancel())]
        try:
            async with asyncio.timeout(max(0.0, self._ends - time.monotonic())):
                await asyncio.wait([reading, *others], return_when=asyncio.FIRST_COMPLETED)
            for task in (*others, reading):
                if task.done():
                    task.result()
        except TimeoutError:
            took = duration(self._settings.seconds)
            raise StepEnded(RunStatus.TIMEOUT, f"it takes longer than it may ({took} at most)") from None
        finally:
            await self._end(process, [reading, *others])
        if process.returncode:
            raise StepEnded(RunStatus.FAILED, f"failed during run, err: exit status {process.returncode}")

    def _command(self, step: Step) -> Sequence[str]:
        if not step.jailed:
            return step.command
        own = self._settings
        options = (
            f"--folder={self._folder}",
            f"--first-uid={own.first_uid}",
            f"--memory={own.memory_bytes}",
            f"--processes={own.processes}",
            f"--disk={own.disk_bytes}",
            f"--files={own.context_files}",
            *(["--network"] if step.network else []),
        )
        return (sys.executable, "-I", jail.__file__, *options, "--", *step.command)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        try:
            while piece := await process.stdout.read(_PIECE):
                self._log.add(piece)
        except LogFull:
            most = self._settings.log_bytes
            raise StepEnded(RunStatus.FAILED, f"it prints more than {most} bytes (azure.builds.log_bytes)") from None
        await process.wait()

    async def _watch(self, process: int) -> None:
        """Ends, with an error, when the step has too much of something."""
        while True:
            began = time.monotonic()
            wrong = self._surplus(await asyncio.to_thread(measure, self._folder, process, self._growth))
            if wrong:
                raise StepEnded(RunStatus.FAILED, wrong)
            await asyncio.sleep(max(_LEAST_PAUSE, 4 * (time.monotonic() - began)))

    def _surplus(self, used: Usage) -> str:
        own = self._settings
        if used.disk > own.disk_bytes:
            return f"it has more than {own.disk_bytes} bytes on disk (azure.builds.disk_bytes)"
        if used.memory > own.memory_bytes:
            return f"its processes have more than {own.memory_bytes} bytes in memory (azure.builds.memory_bytes)"
        if used.processes > own.processes:
            return f"it has more than {own.processes} processes (azure.builds.processes)"
        if used.free < own.free_bytes:
            return f"the disk has less than {own.free_bytes} bytes of room left (azure.builds.free_bytes)"
        return ""

    async def _wait_for_cancel(self) -> None:
        await self._canceled.wait()
        raise StepEnded(RunStatus.CANCELED, "it was canceled")

    async def _end(self, process: asyncio.subprocess.Process, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Nothing of the step is left: the kernel ends a process namespace with its first process."""
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if process.returncode is None:
            self.killed = True
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(TimeoutError):
                async with asyncio.timeout(_ENDING_SECONDS):
                    await process.wait()
