"""One live endpoint for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.policy.azure.endpoint import LiveEndpoint, live_endpoint

PATIENT = {"throttle": {"delay_seconds": 0, "pair_failures": 10**6, "address_failures": 10**6}}


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEndpoint]:
    """An endpoint whose patience with wrong secrets does not end."""
    with live_endpoint(tmp_path_factory.mktemp("endpoint") / "data", auth=PATIENT) as live:
        yield live
