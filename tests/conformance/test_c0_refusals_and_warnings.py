"""Clause c0: 429 with Retry-After, and the Warning header, as they arrive over the network."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from registry.app import build
from registry.auth.actions import Role
from registry.gate import Decision
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person
from tests.registry.gates import GateOfTests
from tests.repository import Pushed, Repository, code_of
from tests.servers import joining, open_settings, running

READER = person(Role.ACR_PULL)
# distribution-spec, "Warnings": code 299, agent `-`, a quoted text, no date
WARNING = re.compile(r'299 - "(?:[^"\\]|\\["\\])*"')
TEXTS = ("the base image is old", 'a "quoted" remark', *("x" * 900 for _ in range(9)))

both_ways = pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])


@both_ways
def test_too_many_requests(tmp_path: Path, fast: bool) -> None:
    """429 TOOMANYREQUESTS with the seconds to wait, for whoever guesses a secret."""
    throttle = {"delay_seconds": 0.0, "pair_failures": 2, "refusal_seconds": 60.0}
    with guarded_registry(tmp_path, {"fast": fast}, throttle=throttle) as live, live.client() as client:
        wrong = [client.get("/v2/", auth=(READER.row.name, "wrong")) for _ in range(3)]
    assert [answer.status_code for answer in wrong] == [401, 401, 429]
    assert code_of(wrong[-1]) == "TOOMANYREQUESTS"
    assert 0 < int(wrong[-1].headers["retry-after"]) <= 60


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def warned(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repository]:
    """A repository of a registry whose gate lets every push in, with remarks."""
    gate = GateOfTests()
    gate.push = Decision(allowed=True, warnings=TEXTS)
    settings = open_settings(tmp_path / "data", server={"fast": request.param})
    with running(build(settings, extension=joining(gate=gate))) as live, live.client() as client:
        yield Repository(client, "warned")


def _push(repository: Repository) -> tuple[Pushed, httpx.Response]:
    blob = repository.blob(b"layer")
    return blob, repository.put("v1", repository.image_document(blob))


def test_warnings(warned: Repository) -> None:
    """One header each, in the exact form, 4096 bytes at most in all."""
    _, answer = _push(warned)
    found = answer.headers.get_list("warning")
    assert answer.status_code == 201
    assert [WARNING.fullmatch(value) is not None for value in found] == [True] * len(found)
    assert found[:2] == ['299 - "the base image is old"', '299 - "a \\"quoted\\" remark"']
    assert 2 < len(found) < len(TEXTS)
    assert sum(map(len, found)) <= 4096


def test_no_warnings_where_there_is_nothing_to_remark(warned: Repository) -> None:
    """The header is not sent with other answers."""
    blob, _ = _push(warned)
    assert "warning" not in warned.get(f"blobs/{blob.digest}").headers
    assert "warning" not in warned.get("tags/list").headers
