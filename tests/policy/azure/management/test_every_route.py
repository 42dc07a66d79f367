"""Every route with callers and bodies that no client sends: an error in ARM's form, and nothing left behind."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from policy.app import build
from policy.azure.management.dispatch import Requirement, Row
from policy.azure.management.extension import Endpoint, Records
from policy.settings import Settings, azure_section, deployments_section
from registry.cli.certificate_authority import make_certificates
from tests.policy.azure.endpoint import LiveEndpoint, code_of

KNOWN = {
    "subscription": "00000000-0000-0000-0000-000000000000",
    "group": "default",
    "registry": "myregistry",
    "tenant": "common",
}
DEEP = "[" * 5000 + "]" * 5000
BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b'{"properties": [1, 2]}',
    b'{"name": {"a": 1}, "type": 7, "sourceLocation": null, "imageNames": "x", "arguments": [null]}',
    b'{"type": "DockerBuildRequest", "sourceLocation": "../../etc/passwd", "dockerFilePath": "/etc/passwd"}',
    json.dumps({"properties": {"policies": {"a" * 5000: "b"}}, "tags": {"x": "\0"}}).encode(),
    DEEP.encode(),
    b"grant_type=" + b"%00" * 200 + b"&client_id=" + b"x" * 5000,
    b"&".join(b"a=b" for _ in range(2000)),
    b"x" * 300_000,
]


@cache
def rows() -> tuple[Row, ...]:
    """The table, of an endpoint that is put together for this alone."""
    with TemporaryDirectory() as folder:
        settings = Settings.model_validate({"data": Path(folder), "azure": {"listen": "127.0.0.1:0"}})
        make_certificates(settings.data)
        with closing(build(settings)) as app:
            return Endpoint(azure_section, deployments_section, None, Records(None, None)).table(app.services)  # type: ignore[arg-type]


def calls(*needs: Requirement) -> list[tuple[str, str]]:
    """Method and a path of every row that needs one of these."""
    return [
        (method, re.sub(r"\{(\w+)\}", lambda part: KNOWN.get(part[1], "unknown"), row.path))
        for row in rows()
        if row.needs in needs
        for method in row.methods.split()
    ]


SIGNED_IN = calls(Requirement.SIGNED_IN, Requirement.OWNER)
EVERY = [*calls(Requirement.NOTHING, Requirement.LINK), *SIGNED_IN]


@pytest.fixture(scope="module")
def owner(endpoint: LiveEndpoint) -> Iterator[httpx.Client]:
    """Who may ask for everything."""
    with endpoint.signed_in() as client:
        yield client


def test_the_table_is_whole() -> None:
    """A row has an operation of its own, and there are as many as the endpoint needs."""
    assert len(EVERY) > 40
    assert all(row.operation.startswith("azure.") for row in rows())


@pytest.mark.parametrize(("method", "path"), SIGNED_IN)
def test_nobody_gets_in_without_a_token(endpoint: LiveEndpoint, method: str, path: str) -> None:
    """None, a foreign one, one of the registry's kind, another scheme, one that is no token."""
    foreign = "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsImF1ZCI6ImJhc2VnYXRlIn0."
    wrong = ["", foreign, "Bearer " + "x" * 60_000, "Bearer", "Basic YWRtaW46eA=="]
    with endpoint.client() as client:
        for authorization in wrong:
            answer = client.request(method, path, headers={"Authorization": authorization} if authorization else {})
            assert answer.status_code == 401
            assert method == "HEAD" or code_of(answer) == (401, "AuthenticationFailed")


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_no_body_is_too_hostile(owner: httpx.Client, method: str, path: str) -> None:
    """Whatever it is: an answer that a client can read, and never a fault of ours."""
    for body in BODIES:
        answer = owner.request(method, path, content=body)
        assert answer.status_code < 500, (body[:60], answer.text)
        if answer.status_code >= 400 and answer.headers["content-type"] == "application/json" and answer.content:
            assert answer.json()["error"]


@pytest.mark.parametrize(
    "path", [f"/blob/{kind}/{name}" for kind in ("contexts", "logs") for name in ("ca1", "..", "%00")]
)
def test_an_address_that_was_not_given_out_opens_nothing(endpoint: LiveEndpoint, path: str) -> None:
    """Nor does one with another's secret."""
    with endpoint.client() as client:
        for query in ("", "?sig=", "?sig=x", "?sig=%F0%9F%98%80", "?sig=x&comp=block&blockid=AAAA"):
            answer = client.request("PUT" if "contexts" in path else "GET", f"{path}{query}", content=b"x")
            assert answer.status_code in {403, 404, 405}


def test_nothing_is_left_of_it(endpoint: LiveEndpoint) -> None:
    """After all that no context, no run and no log is in the data folder."""
    builds = endpoint.gateway.registry.data / "builds"
    assert [path for path in builds.rglob("*") if path.is_file()] == []
