"""Principals that are disabled or given new secrets while uploads run."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from registry.auth.actions import Role
from registry.auth.enrolment import Enrolment
from tests.halfway import HalfwayUpload
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person
from tests.repository import Repository
from tests.servers import LiveRegistry

CHANGED, OTHER = person(Role.ACR_PUSH), person(Role.OWNER)
PATIENCE_SECONDS = 30.0
SMALLEST = 4096


def _account(made: Enrolment) -> tuple[str, str]:
    return made.row.name, made.secret()


@dataclass(frozen=True)
class _Running:
    """One upload that has stopped halfway, in a session of its own."""

    live: LiveRegistry
    account: tuple[str, str]
    where: str
    request: HalfwayUpload

    @classmethod
    def of(cls, live: LiveRegistry, made: Enrolment) -> "_Running":
        """Begun, and with bytes in its session: who it is of has been seen to."""
        account = _account(made)
        with live.client(auth=account) as client:
            where = Repository(client, "team/app").open_upload()
            request = HalfwayUpload(live.url + where, account)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not any(file.stat().st_size for file in (live.data / "incoming").iterdir()):
                assert time.monotonic() < deadline, "no byte has come"
                time.sleep(0.01)
        return cls(live, account, where, request)


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveRegistry]:
    """A registry that everybody signs in to, and that writes what has come of an upload soon."""
    with guarded_registry(tmp_path, {"fast": request.param}) as live:
        settings = live.app.settings
        soon = settings.current.uploads.model_copy(update={"batch_bytes": SMALLEST})
        settings.replace(settings.current.model_copy(update={"uploads": soon}))
        yield live


@pytest.fixture
def own(live: LiveRegistry) -> _Running:
    """An upload of the principal that is going to be changed."""
    return _Running.of(live, CHANGED)


@pytest.fixture
def others(live: LiveRegistry) -> _Running:
    """An upload of somebody else."""
    return _Running.of(live, OTHER)


def _change(live: LiveRegistry, *words: str) -> str:
    """Run `basegate principal …` for the principal beside the server, and wait until its old secret does not count."""
    said = CliRunner().invoke(basegate, ["principal", *words, CHANGED.row.name, "--data", str(live.data), "--json"])
    assert said.exit_code == 0, said.output
    deadline = time.monotonic() + PATIENCE_SECONDS
    with live.client(auth=_account(CHANGED)) as client:
        while client.get("/v2/").status_code == 200:
            assert time.monotonic() < deadline, "the old secret still counts"
            time.sleep(0.02)
    return said.output


@pytest.mark.parametrize("words", [("disable",), ("rotate",)], ids=["disabled", "rotated"])
def test_the_uploads_of_others_go_on(live: LiveRegistry, others: _Running, words: tuple[str, ...]) -> None:
    """A running request of somebody else ends with 201, and that principal goes on."""
    _change(live, *words)
    assert others.request.go_on() == 201
    with live.client(auth=others.account) as client:
        assert client.post("/v2/team/app/blobs/uploads/").status_code == 202


@pytest.mark.parametrize("words", [("disable",), ("rotate",)], ids=["disabled", "rotated"])
def test_the_request_that_runs_is_the_last(live: LiveRegistry, own: _Running, words: tuple[str, ...]) -> None:
    """What the principal was sending when it was changed ends as it would have; then its secret opens nothing."""
    _change(live, *words)
    assert own.request.go_on() == 201
    with live.client(auth=own.account) as client:
        assert client.post("/v2/team/app/blobs/uploads/").status_code == 401


def test_a_session_that_waits_is_closed_to_the_disabled(live: LiveRegistry) -> None:
    """No request runs: the next one is refused, and what has come stays for somebody else who may push there."""
    with live.client(auth=_account(CHANGED)) as client:
        where = Repository(client, "team/app").open_upload()
        assert client.patch(where, content=b"some").status_code == 202
        _change(live, "disable")
        assert client.patch(where, content=b"more").status_code == 401
    with live.client(auth=_account(OTHER)) as client:
        assert client.get(where).headers["range"] == "0-3"


def test_a_session_goes_on_with_the_new_secret(live: LiveRegistry) -> None:
    """Rotation ends nothing that was begun."""
    with live.client(auth=_account(CHANGED)) as client:
        where = Repository(client, "team/app").open_upload()
        client.patch(where, content=b"some")
    secret = json.loads(_change(live, "rotate"))["secrets"][0]["value"]
    with live.client(auth=(CHANGED.row.name, secret)) as client:
        assert client.patch(where, content=b"more").headers["range"] == "0-7"
