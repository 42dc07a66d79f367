"""The official suite against a live registry: every profile, without sign-in, with Basic and with Bearer."""

from pathlib import Path

import pytest

from tests.conformance_suite.suite import Registry, run_suite

pytestmark = pytest.mark.conformance

FEWEST_CHECKS = 500


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
    assert len(report.passed) > FEWEST_CHECKS
