"""The gateway keeps to its written description (config/openapi.yaml), whatever it is sent."""

import re
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from policy.gate import PolicyGate
from policy.gateway.clearance import Clearances
from policy.gateway.routes import table
from policy.settings import Settings
from registry.settings import SettingsInForce
from tests.policy.live import LiveGateway

DESCRIPTION = Path(__file__).parents[3] / "config" / "openapi.yaml"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


DESCRIBED = schemathesis.openapi.from_path(DESCRIPTION)


@pytest.mark.parametrize("path", DESCRIBED.raw_schema["paths"])
def test_requests_of_every_kind(gateway: LiveGateway, path: str) -> None:
    """Well-formed and malformed requests get an answer of the described status, type and shape."""
    (operation,) = DESCRIBED[path].values()

    @given(operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def send(case: schemathesis.Case[Any]) -> None:
        url, login = gateway.registry.url, ("reader", gateway.secrets["reader"])
        case.call_and_validate(base_url=url, checks=CHECKS, auth=login)

    send()


def test_every_route_is_described(gateway: LiveGateway) -> None:
    """The description and the route table name the same paths and methods."""
    described = {(path, method.upper()) for path, item in DESCRIBED.raw_schema["paths"].items() for method in item}
    rooms = gateway.registry.app.rooms
    rows = table(Clearances(rooms.stores.metadata, cast("PolicyGate", rooms.gate)), SettingsInForce(Settings()))
    served = {
        (re.sub(r":\w+}", "}", row.path), method) for row in rows for method in row.methods.split() if method != "HEAD"
    }
    assert described == served


@pytest.mark.parametrize("tag", ["good", "bad", "both"])
def test_real_answers_fit(gateway: LiveGateway, tag: str) -> None:
    """Answers about real images have the described shape, evidence included."""
    operation = DESCRIBED["/policy/v1/repositories/{name}/manifests/{reference}/verdict"]["GET"]
    with gateway.client("reader") as client:
        response = client.get(f"/policy/v1/repositories/team/app/manifests/{tag}/verdict")
    operation.validate_response(response)
