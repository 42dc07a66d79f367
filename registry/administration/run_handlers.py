"""`/admin/v1/runs`: beginning what takes long, and how far it has come."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from registry.administration.act import RUNNING, RUNS
from registry.administration.body import Body
from registry.administration.runs import Run, Runs
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.content.progress import Tell

AT_ONCE_SECONDS = 0.5
"""How long a request waits for its run: what is quick is told at once."""
_WAIT_SECONDS = 10.0


class RunHandlers:
    """Begins runs, and shows them.

    Args:
        runs: of the server.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def begin(self, kind: str, principal: Principal, work: Callable[[Tell], Awaitable[Any]]) -> Response:
        """Begin a run: 200 with it when it has ended already, else 202 and where to ask for it."""
        run = self._runs.begin(kind, principal.name, work)
        await self._runs.wait(run, AT_ONCE_SECONDS)
        ended = run.state != RUNNING
        return _told(run, 200 if ended else 202, {} if ended else {"Location": f"{RUNS}/{run.id}"})

    async def show(self, _services: Services, request: Request, _principal: Principal) -> Response:
        """GET: one run; with `?wait=yes` the answer comes when it ends, or within ten seconds."""
        run = self._runs.find(str(request.path_params["run"]))
        if request.query_params.get("wait") == "yes":
            await self._runs.wait(run, _WAIT_SECONDS)
        return _told(run)


class RunBeginner:
    """Handlers that read what is asked for, and begin a run that does it.

    Args:
        runs: begins them.
        body: reads requests.
    """

    def __init__(self, runs: RunHandlers, body: Body) -> None:
        self._runs = runs
        self._body = body


def _told(run: Run, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(run.as_json(), status, headers, "application/json")
