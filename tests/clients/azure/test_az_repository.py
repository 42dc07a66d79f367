"""`az acr repository` and `az acr manifest`: what is in a registry, shown, locked, deleted and brought back."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.clients.azure.az import REGISTRY, Az, Cloud
from tests.clients.azure.pushing import pushed

pytestmark = pytest.mark.xdist_group("azure-cli")
_NUMBERS = count()
QUIET = ("--only-show-errors", "--output", "json")


def told(az: Az, group: str, verb: str, *arguments: str) -> Any:
    """What a command prints, as JSON."""
    where = ("--name", REGISTRY) if group == "repository" else ("--registry", REGISTRY)
    return json.loads(az.run("acr", group, verb, *where, *arguments, *QUIET).check().output or "null")


@pytest.fixture(scope="module")
def filled(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """A repository with `v1`, then `v2`, which stay; and their digests."""
    folder, name = tmp_path_factory.mktemp("filled"), "az/filled"
    digests = [pushed(cloud, folder, f"{name}:v{number}", cleared=number == 1) for number in (1, 2)]
    return name, digests[0], digests[1]


@pytest.fixture
def passing(cloud: Cloud, tmp_path: Path) -> tuple[str, str]:
    """A repository of a test's own with `v1`, and its digest."""
    name = f"az/passing{next(_NUMBERS)}"
    return name, pushed(cloud, tmp_path, f"{name}:v1")


def test_show(az: Az, filled: tuple[str, str, str]) -> None:
    """A repository, a tag, a manifest."""
    name, digest, _ = filled
    whole = told(az, "repository", "show", "--repository", name)
    assert (whole["imageName"], whole["tagCount"], whole["manifestCount"]) == (name, 2, 2)
    assert told(az, "repository", "show", "--image", f"{name}:v1")["digest"] == digest
    assert told(az, "repository", "show", "--image", f"{name}@{digest}")["tags"] == ["v1"]


def test_show_of_what_is_not_there(az: Az) -> None:
    """Exit code 3, as for Azure's own."""
    assert az.run("acr", "repository", "show", "--name", REGISTRY, "--repository", "az/none", *QUIET).code == 3


def test_tags(az: Az, filled: tuple[str, str, str]) -> None:
    """Names; the newest first; and whole objects."""
    name, _, digest = filled
    assert told(az, "repository", "show-tags", "--repository", name) == ["v1", "v2"]
    newest = told(
        az, "repository", "show-tags", "--repository", name, "--orderby", "time_desc", "--top", "1", "--detail"
    )
    assert [(each["name"], each["digest"]) for each in newest] == [("v2", digest)]


def test_manifests(az: Az, filled: tuple[str, str, str]) -> None:
    """The command that is deprecated, and those that took its place; verdicts are quarantine states."""
    name, *digests = filled
    assert {each["digest"] for each in told(az, "repository", "show-manifests", "--repository", name)} == set(digests)
    listed = told(az, "manifest", "list-metadata", "--name", name)
    states = {each["digest"]: each["changeableAttributes"]["quarantineState"] for each in listed}
    assert states == {digests[0]: "Passed", digests[1]: "Failed"}
    assert told(az, "manifest", "show-metadata", "--name", f"{name}:v1")["digest"] == digests[0]
    assert told(az, "manifest", "show", "--name", f"{name}:v1")["schemaVersion"] == 2
    assert len(told(az, "manifest", "list", "--name", name)) == 2


@pytest.mark.parametrize("by_digest", [False, True])
def test_referrers(az: Az, filled: tuple[str, str, str], by_digest: bool) -> None:
    """By tag az asks for the digest first."""
    name, digest, _ = filled
    found = told(az, "manifest", "list-referrers", "--name", f"{name}@{digest}" if by_digest else f"{name}:v1")
    assert isinstance(found["manifests"], list)


def test_locks(az: Az, passing: tuple[str, str]) -> None:
    """`repository update` and `manifest update-metadata`; what is locked is not deleted."""
    name, _ = passing
    changed = told(az, "repository", "update", "--image", f"{name}:v1", "--write-enabled", "false")
    assert changed["changeableAttributes"]["writeEnabled"] is False
    changed = told(az, "manifest", "update-metadata", "--name", f"{name}:v1", "--delete-enabled", "false")
    assert changed["changeableAttributes"]["deleteEnabled"] is False
    assert not az.run("acr", "repository", "delete", "--name", REGISTRY, "--image", f"{name}:v1", "--yes").ok
    told(az, "repository", "update", "--repository", name, "--list-enabled", "false")
    assert name not in told(az, "repository", "list")


def test_untag(az: Az, passing: tuple[str, str]) -> None:
    """The manifest stays."""
    name, digest = passing
    told(az, "repository", "untag", "--image", f"{name}:v1")
    assert [each["digest"] for each in told(az, "manifest", "list-metadata", "--name", name)] == [digest]


@pytest.mark.parametrize("group", ["repository", "manifest"])
@pytest.mark.parametrize("by_digest", [False, True])
def test_delete(az: Az, passing: tuple[str, str], group: str, by_digest: bool) -> None:
    """An image, with its tags; and it is in the trash."""
    name, digest = passing
    image = f"{name}@{digest}" if by_digest else f"{name}:v1"
    told(az, group, "delete", "--image" if group == "repository" else "--name", image, "--yes")
    assert [each["digest"] for each in told(az, "manifest", "list-deleted", "--name", name)] == [digest]


def test_delete_of_a_repository(az: Az, passing: tuple[str, str]) -> None:
    """What went is told; it is in the trash, and comes back."""
    name, digest = passing
    gone = told(az, "repository", "delete", "--repository", name, "--yes")
    assert gone == {"manifestsDeleted": [digest], "tagsDeleted": ["v1"]}
    assert name in told(az, "repository", "list-deleted")
    assert [each["tag"] for each in told(az, "manifest", "list-deleted-tags", "--name", name)] == ["v1"]
    told(az, "manifest", "restore", "--name", f"{name}:v1", "--digest", digest, "--yes")
    assert told(az, "repository", "show", "--image", f"{name}:v1")["digest"] == digest


def test_without_signing_in(cloud: Cloud, home: Path, filled: tuple[str, str, str]) -> None:
    """Without a resource manager: the name and the suffix of the cloud are the login server."""
    az = cloud.az_by_hand(home)
    who = ("--username", cloud.owner.username, "--password", cloud.owner.password)
    shown = az.run("acr", "repository", "list", "--name", "localhost", *who, *QUIET).check().output
    assert filled[0] in json.loads(shown)
