"""Pages of a registry where nobody has to sign in."""

from pathlib import Path

import pytest

from tests.policy.live import live_gateway


@pytest.mark.parametrize(("path", "status"), [("/r/no/such", 404), ("/r/team/app@sha256:1", 400)])
def test_a_refusal_is_no_form(tmp_path: Path, path: str, status: int) -> None:
    """It says what is wrong: there is nothing to sign in for."""
    with live_gateway(tmp_path / "data", auth={"required": False}) as gateway, gateway.registry.client() as client:
        answer = client.get(path)
    assert (answer.status_code, 'name="password"' in answer.text) == (status, False)
