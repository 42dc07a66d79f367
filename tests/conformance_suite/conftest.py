"""One live registry for each way to sign in."""

from collections.abc import Iterator

import pytest

from tests.conformance_suite.suite import Registry
from tests.installation import Account, Installation

OPEN = {"BASEGATE_AUTH__REQUIRED": "false"}
SIGN_IN: dict[str, dict[str, str]] = {"open": OPEN, "basic": {"BASEGATE_AUTH__CHALLENGE": "basic"}, "bearer": {}}


@pytest.fixture(
    scope="module", params=[pytest.param(way, marks=pytest.mark.xdist_group(f"conformance {way}")) for way in SIGN_IN]
)
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A live registry and an account that owns everything in it."""
    way = str(request.param)
    installation = Installation(tmp_path_factory.mktemp("conformance") / "data", SIGN_IN[way])
    owner = Account("", "") if way == "open" else installation.create_principal("suite", "Owner")
    with installation.serve() as host:
        yield host, owner
