"""The suite as it was in the 1.1 line, before it was rewritten: what every one of its checks says.

It has either-ors, so that no single run of it does without skipping, whatever the registry:

- It makes what it reads, or is told of content that is there. Each of the two has a run here, with the settings for it.
- A registry mounts blobs of other repositories, or answers with an upload session; it looks for a blob that no `from`
  names, or it does not. basegate does both, so that the checks of registries which do not are left out; that one of
  the two holds is asserted, and what basegate does where it cannot mount is in `tests/conformance/test_c6_mounts.py`.

Module proxies serve no revision of it that is newer than the pinned one, that of the release 1.1.1 among them.
"""

from pathlib import Path

import httpx
import pytest

from tests.conformance_suite.suite import Registry, Report, run_suite
from tests.repository import Repository

pytestmark = [pytest.mark.conformance, pytest.mark.client("conformance-legacy")]

TAGS = ("blue", "green", "red", "yellow")
OF_WHAT_IS_THERE = {"Pull Setup Get tag name from environment", "Setup Populate registry with test tags (no push)"}
# What registries that do not mount have to do, and the check that takes its place for those that do.
WITHOUT_MOUNTS = {
    "Cross-mounting of nonexistent blob should yield session id": (
        "GET request to test digest within cross-mount namespace should return 200"
    ),
    "Cross-mounting without from, and automatic content discovery disabled should return a 202": (
        "Cross-mounting without from, and automatic content discovery enabled should return a 201"
    ),
}


def _run(registry: Registry, folder: Path, categories: tuple[str, ...], **settings: str) -> Report:
    host, owner = registry
    always = {
        "OCI_ROOT_URL": f"http://{host}",
        "OCI_USERNAME": owner.username,
        "OCI_PASSWORD": owner.password,
        "OCI_REPORT_DIR": str(folder),
        **{f"OCI_TEST_{category}": "1" for category in categories},
    }
    return run_suite("conformance-legacy", folder, always | settings)


def _ends(names: tuple[str, ...], wanted: set[str]) -> set[str]:
    """Those of the wanted that one of the names ends with."""
    return {end for end in wanted if any(name.endswith(end) for name in names)}


def _pushed(registry: Registry, name: str) -> tuple[str, str]:
    """The digests of an image that has all the tags, and of a blob beside it."""
    host, owner = registry
    account = (owner.username, owner.password) if owner.username else None
    with httpx.Client(base_url=f"http://{host}", auth=account, trust_env=False) as client:
        repository = Repository(client, name)
        images = [repository.image(tag) for tag in TAGS]
        return images[0].digest, repository.blob(b"what is there already").digest


def test_every_check_holds_or_its_other_half_does(registry: Registry, tmp_path: Path) -> None:
    """All categories with content of the suite's own: nothing fails, and only the other halves are left out."""
    categories = ("PULL", "PUSH", "CONTENT_DISCOVERY", "CONTENT_MANAGEMENT")
    names = {"OCI_NAMESPACE": "legacy/one", "OCI_CROSSMOUNT_NAMESPACE": "legacy/two"}
    report = _run(registry, tmp_path / "suite", categories, OCI_AUTOMATIC_CROSSMOUNT="1", **names)
    other_halves = OF_WHAT_IS_THERE | set(WITHOUT_MOUNTS)
    assert (len(report.problems), report.code) == (len(other_halves), 0)
    assert _ends(report.skipped, other_halves) == other_halves
    assert _ends(report.passed, set(WITHOUT_MOUNTS.values())) == set(WITHOUT_MOUNTS.values())


def test_what_is_there_already_is_found(registry: Registry, tmp_path: Path) -> None:
    """The suite is told of an image and its tags: what was left out for want of that holds, and nothing fails."""
    manifest, blob = _pushed(registry, "legacy/there")
    told = {
        "OCI_NAMESPACE": "legacy/there",
        "OCI_TAG_NAME": TAGS[0],
        "OCI_TAG_LIST": ",".join(TAGS),
        "OCI_MANIFEST_DIGEST": manifest,
        "OCI_BLOB_DIGEST": blob,
    }
    report = _run(registry, tmp_path / "suite", ("PULL", "CONTENT_DISCOVERY"), **told)
    assert (len(report.problems), report.code) == (len(report.skipped), 0)
    assert _ends(report.passed, OF_WHAT_IS_THERE) == OF_WHAT_IS_THERE
