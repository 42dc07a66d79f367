"""One live registry for each way to sign in, and one whose rows are in PostgreSQL."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.conformance_suite.suite import Registry
from tests.installation import Account, Installation

if TYPE_CHECKING:
    from tests.postgres import PostgresServer

OPEN = {"BASEGATE_AUTH__REQUIRED": "false"}
SIGN_IN: dict[str, dict[str, str]] = {
    "open": OPEN,
    "basic": {"BASEGATE_AUTH__CHALLENGE": "basic"},
    "bearer": {},
    "postgresql": {},
}


@pytest.fixture(
    scope="module", params=[pytest.param(way, marks=pytest.mark.xdist_group(f"conformance {way}")) for way in SIGN_IN]
)
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A live registry and an account that owns everything in it."""
    way = str(request.param)
    variables = dict(SIGN_IN[way])
    if way == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        variables |= server.variables()
    installation = Installation(tmp_path_factory.mktemp("conformance") / "data", variables)
    owner = Account("", "") if way == "open" else installation.create_principal("suite", "Owner")
    with installation.serve() as host:
        yield host, owner
