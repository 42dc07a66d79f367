"""Who may call what below /policy/ and /admin/: every row, as nobody, with a wrong secret, as one from elsewhere."""

from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

from registry.api.requirements import Requirement
from registry.api.routes import Row
from tests.policy.every_row import every_row
from tests.policy.live import LiveGateway, live_gateway

OPEN = {"/policy/v1/keys"}
"""Public keys are for anybody."""
PLACES = {
    "{name:repository}": "team/app",
    "{reference}": "v1",
    "{digest}": "sha256:" + "0" * 64,
    "{deployment}": "d-0",
    "{workspace}": "default",
    "{principal}": "nobody",
    "{run}": "none",
    "{sink}": "none",
    "{policy}": "azureml-2019-07",
    "{exemption}": "none",
}
OF_A_REPOSITORY = {
    *(Requirement.PULL, Requirement.PUSH, Requirement.UPLOAD, Requirement.DELETE),
    *(Requirement.METADATA_READ, Requirement.METADATA_WRITE, Requirement.DELETED_READ, Requirement.DELETED_RESTORE),
}
"""Rights in one repository."""
OF_THE_REGISTRY = {"/admin/v1/retention/explanations/{name:repository}": Requirement.OWNER}
"""What asks for more, although it names a repository: the rules of retention are those of the whole registry."""
ROWS = [row for row in every_row() if row.path.startswith(("/policy/", "/admin/"))]
OF_PULLERS = {Requirement.PULL: 404, Requirement.METADATA_READ: 404, Requirement.CATALOG: 200}
"""What whoever may pull is answered."""


def calls(*rows: Row) -> list[ParameterSet]:
    """Each method of each row."""
    return [pytest.param(method, row, id=f"{method}-{row.operation}") for row in rows for method in row.methods.split()]


CALLS = calls(*ROWS)
IN_A_REPOSITORY = calls(*(row for row in ROWS if "{name:repository}" in row.path))


def path_of(row: Row) -> str:
    """A path of the row; what stands in its place is not there, as far as the caller may know."""
    path = row.path
    for place, value in PLACES.items():
        path = path.replace(place, value)
    return path.partition("{")[0]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """With anonymous pulls, so that being nobody opens no more than that; guessing is not what is tried here."""
    data = tmp_path_factory.mktemp("data")
    auth = {
        "anonymous_pull": True,
        "throttle": {"delay_seconds": 0.0, "pair_failures": 10_000, "address_failures": 10_000},
    }
    with live_gateway(data, auth=auth) as started:
        yield started


def test_there_are_rows() -> None:
    """An empty table must not turn this file into nothing."""
    assert len(ROWS) >= 14


def test_what_names_a_repository_asks_for_a_right_there() -> None:
    """Being signed in is no right in a repository; what else is asked for is named above."""
    others = [row for row in ROWS if "{name:repository}" in row.path and row.needs not in OF_A_REPOSITORY]
    assert {row.path: row.needs for row in others} == OF_THE_REGISTRY


def test_only_keys_are_for_anybody() -> None:
    """Everything else asks who calls."""
    assert {row.path for row in ROWS if row.needs is Requirement.NOTHING} == OPEN


@pytest.mark.parametrize(("method", "row"), CALLS)
def test_nobody(live: LiveGateway, method: str, row: Row) -> None:
    """Whoever does not say who they are is asked, unless anybody may pull what the row shows."""
    with live.registry.client() as client:
        status = client.request(method, path_of(row), content=b"{}").status_code
    if row.path in OPEN:
        assert status == 200
    else:
        assert status in {401, OF_PULLERS.get(row.needs, 401)}


@pytest.mark.parametrize(("method", "row"), CALLS)
def test_a_wrong_secret(live: LiveGateway, method: str, row: Row) -> None:
    """Is 401 everywhere, not a caller without a name."""
    with live.registry.client(auth=("reader", "wrong")) as client:
        status = client.request(method, path_of(row), content=b"{}").status_code
    assert status == (200 if row.path in OPEN else 401)


@pytest.mark.parametrize(("method", "row"), IN_A_REPOSITORY)
def test_one_from_elsewhere(live: LiveGateway, method: str, row: Row) -> None:
    """A principal without the right in this repository is told that, whatever is there."""
    with live.client("outsider") as client:
        assert client.request(method, path_of(row), content=b"{}").status_code == 403


@pytest.mark.parametrize(("method", "row"), calls(*(row for row in ROWS if row.needs is Requirement.OWNER)))
@pytest.mark.parametrize("who", ["reader", "outsider"])
def test_what_is_for_owners(live: LiveGateway, who: str, method: str, row: Row) -> None:
    """Whoever does not own the registry is told so, whatever is there."""
    with live.client(who) as client:
        answer = client.request(method, path_of(row), content=b"{}")
    assert answer.status_code == 403
