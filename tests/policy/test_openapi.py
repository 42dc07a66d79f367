"""The written description of basegate's own endpoints holds: which there are, and what they take and answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from registry.api.routes import SAFE_METHODS
from tests.clients.trees import cleared_image, refused_image
from tests.policy.live import LiveGateway, live_gateway

DESCRIPTION = Path(__file__).parents[2] / "config" / "openapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
# What a schema cannot say: unknown members and parameters are ignored, and a text of the right type may still be no
# configuration, no token and no grant.
BEYOND_SCHEMAS: list[CheckFunction] = [negative_data_rejection, positive_data_acceptance]
schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server whose patience with wrong secrets does not end."""
    throttle = {"delay_seconds": 0, "pair_failures": 10**6, "address_failures": 10**6}
    with live_gateway(tmp_path_factory.mktemp("data"), auth={"throttle": throttle}) as gateway:
        yield gateway


def test_description_has_every_route_of_its_own(live: LiveGateway) -> None:
    """A route that is added or removed changes the description."""
    own = {
        (method, row.path.replace(":repository", "").replace(":path", ""))
        for row in live.registry.app.table
        for method in row.methods.split()
        if not row.path.startswith(("/v2", "/acr/")) and (method not in SAFE_METHODS or method == "GET")
    }
    items = DOCUMENT["paths"].items()
    described = {(method.upper(), path) for path, item in items for method in item.keys() - {"parameters"}}
    assert described == own


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case: Case[Any], live: LiveGateway) -> None:
    """Whatever is sent, good or broken: the statuses, types and shapes that are written down, and never a 500."""
    signed_in = ("reader", live.secrets["reader"])
    # By another method, what follows a name with slashes is taken for a part of it, which is refused as such.
    ambiguous = [unsupported_method] if case.operation.path.startswith("/admin/v1/repositories/") else []
    checks = [*BEYOND_SCHEMAS, *ambiguous]
    case.call_and_validate(base_url=live.registry.url, auth=signed_in, excluded_checks=checks)


@pytest.mark.parametrize("verdict", ["cleared", "refused"])
def test_real_answers_are_as_described(live: LiveGateway, tmp_path: Path, verdict: str) -> None:
    """A check and an explanation of an image that was judged."""
    live.push(tmp_path, f"team/app:{verdict}", cleared_image() if verdict == "cleared" else refused_image())
    checked = live.check("reader", reference=f"team/app:{verdict}").json()
    with live.client("admin") as client:
        explained = client.get(f"/policy/v1/repositories/team/app/manifests/{verdict}/verdict").json()
    assert (checked["verdict"], explained["verdict"]) == (verdict, verdict)
    _fits("Answer", checked)
    _fits("Explanation", explained)


def _fits(name: str, document: Any) -> None:
    jsonschema.validate(document, {**DOCUMENT, "$ref": f"#/components/schemas/{name}"})
