"""The official suite against a live registry: every profile, without sign-in, with Basic and with Bearer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance_suite.suite import run_suite
from tests.installation import Account, Installation

pytestmark = pytest.mark.conformance

OPEN = {"BASEGATE_AUTH__REQUIRED": "false"}
SIGN_IN: dict[str, dict[str, str]] = {"open": OPEN, "basic": {"BASEGATE_AUTH__CHALLENGE": "basic"}, "bearer": {}}
FEWEST_CHECKS = 500
# The old suite leaves out what does not fit the registry or the settings, and calls it skipped.
OTHER_HALVES = (
    "Get tag name from environment",  # for registries that cannot be pushed to
    "Populate registry with test tags (no push)",  # likewise
    "Cross-mounting of nonexistent blob should yield session id",  # when the mount before it was not done: it was
    "automatic content discovery disabled should return a 202",  # it is enabled
)

Registry = tuple[str, Account]


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


@pytest.mark.client("conformance")
@pytest.mark.parametrize("profile", ["1.0", "1.1", "dev"])
def test_a_profile_of_the_suite_finds_nothing(registry: Registry, profile: str, tmp_path: Path) -> None:
    """Every check of the suite holds: nothing fails, nothing errs, nothing is skipped."""
    host, owner = registry
    settings = {
        "OCI_REGISTRY": host,
        "OCI_TLS": "disabled",
        "OCI_VERSION": profile,
        "OCI_REPO1": f"profile-{profile}/one",
        "OCI_REPO2": f"profile-{profile}/two",
        "OCI_USERNAME": owner.username,
        "OCI_PASSWORD": owner.password,
        "OCI_RESULTS_DIR": str(tmp_path / "suite"),
    }
    report = run_suite("conformance", tmp_path / "suite", settings)
    assert (report.problems, report.code) == ((), 0)
    assert report.passed > FEWEST_CHECKS


@pytest.mark.client("conformance-legacy")
def test_the_suite_of_the_first_releases_finds_nothing(registry: Registry, tmp_path: Path) -> None:
    """Every check of the suite as it was before its rewriting holds, but for the other halves of its either-ors."""
    host, owner = registry
    categories = ("PULL", "PUSH", "CONTENT_DISCOVERY", "CONTENT_MANAGEMENT")
    settings = {
        "OCI_ROOT_URL": f"http://{host}",
        "OCI_NAMESPACE": "legacy/one",
        "OCI_CROSSMOUNT_NAMESPACE": "legacy/two",
        "OCI_AUTOMATIC_CROSSMOUNT": "1",
        "OCI_USERNAME": owner.username,
        "OCI_PASSWORD": owner.password,
        **{f"OCI_TEST_{category}": "1" for category in categories},
        "OCI_REPORT_DIR": str(tmp_path / "suite"),
    }
    report = run_suite("conformance-legacy", tmp_path / "suite", settings)
    left = [line for line in report.problems if not any(other in line for other in OTHER_HALVES)]
    assert (left, report.code) == ([], 0)
