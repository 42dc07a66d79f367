"""What CONTRIBUTING.md says of adding an extension: a function, and a line in a tuple."""

from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policy import app
from registry.api.requirements import Requirement
from registry.api.routes import Row
from registry.api.services import Services
from registry.auth.principals import Principal
from registry.extension import Extension
from tests.policy.live import live_gateway


def modes(shared: app.Shared) -> Extension:
    """One row: the mode of the policy."""

    async def show(_services: Services, _request: Request, _principal: Principal) -> Response:
        return JSONResponse({"mode": shared.gate.settings.mode})

    return Extension(routes=lambda _services: (Row("GET", "/modes", Requirement.SIGNED_IN, "modes.show", show),))


def test_one_more_line_joins_one_more_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made from what the others share; its caller signs in, and a check is answered as before."""
    monkeypatch.setattr(app, "EXTENSIONS", (*app.EXTENSIONS, modes))
    with live_gateway(tmp_path / "data") as live, live.client("reader") as client:
        assert client.get("/modes").json() == {"mode": "enforce"}
        assert live.check("reader", reference="team/app:v1").json()["allowed"] is False
        assert httpx.get(f"{live.registry.url}/modes").status_code == 401
