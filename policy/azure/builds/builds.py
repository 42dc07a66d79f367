"""Quick builds: who may have what built, in which order, and what became of it."""

import asyncio
import shutil
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from policy.azure.arm_errors import ArmError
from policy.azure.builds.build import Build, Pushed, Tools, remove
from policy.azure.builds.builder import builder_of
from policy.azure.builds.builders import Target
from policy.azure.builds.contexts import Context, Contexts
from policy.azure.builds.request import BuildRequest, ImageName
from policy.azure.builds.run import Run, RunStatus, duration
from policy.azure.builds.run_log import RunLog
from policy.azure.builds.run_store import RunStore
from policy.azure.builds.settings import BuildSettings
from policy.azure.builds.steps import StepEnded
from registry.auth.actions import GRANTS, Action
from registry.auth.sign_in import Identity, roles_that_may
from registry.auth.token_service import TokenService

FOLDER = "builds"
_SWEEPING_SECONDS = 60.0
_OFF = (
    "builds are off on this registry: whoever runs it sets azure.builds.builder to buildah, podman or docker; until "
    "then, build on your own machine and push"
)


@dataclass(slots=True)
class _Queued:
    """A run with what it needs while it is not over."""

    run: Run
    request: BuildRequest
    images: tuple[ImageName, ...]
    caller: Identity
    context: Context
    target: Target
    canceled: asyncio.Event = field(default_factory=asyncio.Event)


Judge = Callable[[Identity, ImageName], Coroutine[Any, Any, str]]
"""The verdict on an image in one line, for the log."""


class Builds:
    """All builds of a server.

    Args:
        data: the data folder; `builds/` in it is ours.
        settings: section `azure.builds`, as it is now.
        token_service: makes the narrow tokens that builders get.
        judge: words the verdict on what was pushed.
    """

    def __init__(
        self, data: Path, settings: Callable[[], BuildSettings], token_service: TokenService, judge: Judge
    ) -> None:
        folder = data / FOLDER
        self._settings = settings
        self._work = folder / "work"
        shutil.rmtree(self._work, ignore_errors=True)
        self.contexts = Contexts(folder / "contexts", settings)
        self.store = RunStore(folder / "runs")
        self._tools = Tools(token_service, judge)
        self._queue: asyncio.Queue[_Queued] = asyncio.Queue()
        self._under_way: dict[str, _Queued] = {}
        self._log = structlog.get_logger(__name__)

    def require_builder(self) -> str:
        """The program that builds.

        Raises:
            ArmError: there is none, or it is not installed.
        """
        builder = builder_of(self._settings())
        if builder is None:
            raise ArmError(403, "BuildsDisabled", _OFF)
        if shutil.which(builder.program) is None:
            message = f"azure.builds.builder is {builder.program}, and it is not on the server's PATH: install it"
            raise ArmError(409, "BuilderMissing", message)
        return builder.program

    def begin(self, caller: Identity) -> Context:
        """A place for a context.

        Raises:
            ArmError: there is no builder, or the caller may push nowhere.
        """
        self.require_builder()
        _require_pusher(caller)
        return self.contexts.begin(caller.principal.id)

    def schedule(self, caller: Identity, request: BuildRequest, target: Target) -> Run:
        """Have something built.

        Raises:
            ArmError: it may not be, or not now.
        """
        program = self.require_builder()
        images = self._allowed(caller, request, target)
        if len(self._under_way) >= self._settings().at_once + self._settings().waiting:
            raise ArmError(
                429, "TooManyRequests", f"{len(self._under_way)} builds are under way or wait: try again later"
            )
        context = self.contexts.take(request.source, caller.principal.id)
        run = self.store.begin(caller.principal.id, caller.principal.name, request.platform)
        run.images = [str(name) for name in request.names(run.id, target.names)] if images else []
        self.store.save(run)
        names = request.names(run.id, target.names) if images else ()
        self._under_way[run.id] = queued = _Queued(run, request, names, caller, context, target)
        self._queue.put_nowait(queued)
        self._log.info("build asked for", run=run.id, by=run.owner_name, images=run.images, builder=program)
        return run

    def visible(self, caller: Identity, run: str) -> Run:
        """A run that the caller may see: its own, and for an owner every one.

        Raises:
            ArmError: there is none (404).
        """
        found = self.store.find(run)
        if found is None or not self._sees(caller, found):
            raise ArmError(
                404, "RunNotFound", f"there is no run {run[:64]!r} of yours: az acr task list-runs shows all"
            )
        return found

    def all_visible(self, caller: Identity) -> list[Run]:
        """The runs that the caller may see, the newest first."""
        return [run for run in self.store.newest() if self._sees(caller, run)]

    def cancel(self, run: Run) -> None:
        """End a run, or let it not begin; one that is over stays as it is."""
        queued = self._under_way.get(run.id)
        if queued is None:
            return
        queued.canceled.set()
        if run.status is RunStatus.QUEUED:
            self._forget(queued)
            run.started = time.time()
            log = RunLog(self.store.log_of(run.id), self._settings().log_bytes, ())
            self._finish(run, log, StepEnded(RunStatus.CANCELED, "it was canceled"), [])

    async def work(self) -> None:
        """Build what is asked for; ends when cancelled, and what runs then with it."""
        own = self._settings()
        # All builds by docker share the images of its daemon, and each takes away those that it has fetched.
        at_once = 1 if own.builder == "docker" else own.at_once
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._build_one_after_another())
            group.create_task(self._sweep_contexts())

    def _sees(self, caller: Identity, run: Run) -> bool:
        return caller.principal.owns_registry or caller.principal.id == run.owner

    def _allowed(self, caller: Identity, request: BuildRequest, target: Target) -> tuple[ImageName, ...]:
        """The names that it will be pushed under, each of which the caller may push."""
        names = request.names("run", target.names) if request.push else ()
        for name in names:
            if not all(caller.may(action, name.repository) for action in (Action.PULL, Action.PUSH)):
                raise _forbidden(caller, f"push to {name.repository}")
        if not names:
            _require_pusher(caller)
        return names

    async def _sweep_contexts(self) -> None:
        """What was sent and never built goes when its time is over."""
        while True:
            await asyncio.sleep(_SWEEPING_SECONDS)
            with suppress(OSError):
                self.contexts.sweep()

    async def _build_one_after_another(self) -> None:
        while True:
            queued = await self._queue.get()
            if queued.run.id not in self._under_way:
                continue
            try:
                await self._build(queued)
            except Exception:  # noqa: BLE001  no room for the log, say: the next may have some
                self._log.exception("a build could not be carried out", run=queued.run.id)
            finally:
                self._forget(queued)

    def _forget(self, queued: _Queued) -> None:
        del self._under_way[queued.run.id]
        queued.context.path.unlink(missing_ok=True)

    async def _build(self, queued: _Queued) -> None:
        run, own = queued.run, self._settings()
        secrets = [argument.value for argument in queued.request.arguments if argument.secret]
        log = RunLog(self.store.log_of(run.id), own.log_bytes, secrets)
        work = self._work / run.id
        run.status, run.started = RunStatus.RUNNING, time.time()
        self.store.save(run)
        outcome = StepEnded(RunStatus.ERROR, "the server was stopped")
        pushed: list[Pushed] = []
        try:
            build = Build(work, own, log, queued.canceled, self._tools)
            await build.carry_out(
                queued.request, queued.images, queued.caller, queued.target, queued.context.path, pushed
            )
            outcome = StepEnded(RunStatus.SUCCEEDED, "")
        except StepEnded as ended:
            outcome = ended
        finally:
            await asyncio.shield(remove(work))
            self._finish(run, log, outcome, pushed)

    def _finish(self, run: Run, log: RunLog, outcome: StepEnded, pushed: list[Pushed]) -> None:
        """The last line, then the record: whoever sees that it is over has the whole log."""
        finished = time.time()
        took = duration(finished - run.started)
        if outcome.status is RunStatus.SUCCEEDED:
            last = f"Run ID: {run.id} was successful after {took}"
        else:
            last = f"Run ID: {run.id} failed after {took}. Error: {outcome.reason}"
        with suppress(OSError):
            log.say(last)
            log.close()
        run.outputs = [each.document() for each in pushed]
        run.finished, run.status = finished, outcome.status
        self.store.save(run)
        self.store.trim(self._settings().kept_runs)
        self._log.info("build ended", run=run.id, status=run.status.value, reason=outcome.reason, seconds=took)


def _require_pusher(caller: Identity) -> None:
    """Whoever may push nowhere has nothing built, even if it were not pushed."""
    role = caller.principal.role
    if role is None or Action.PUSH not in GRANTS[role]:
        raise _forbidden(caller, "have images built here")


def _forbidden(caller: Identity, what: str) -> ArmError:
    role = caller.principal.role
    need = f"needs role {roles_that_may(Action.PUSH)} there"
    message = f"principal {caller.principal.name} (role {role.value if role else 'none'}) may not {what}: {need}"
    return ArmError(403, "AuthorizationFailed", message)
