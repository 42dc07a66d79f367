"""Clause c1, end-1: is this a registry?"""

import httpx
import pytest


@pytest.mark.parametrize("path", ["/v2/", "/v2"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_root_answers(client: httpx.Client, method: str, path: str) -> None:
    """200 and JSON for callers that may come in."""
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
