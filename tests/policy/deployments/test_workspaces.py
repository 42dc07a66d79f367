"""Workspaces: created, shown, given a registry."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from policy.deployments.settings import DeploymentSettings
from policy.deployments.workspaces import WorkspaceRefused, Workspaces

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"


def workspaces(data: Path, **settings: Any) -> Workspaces:
    """Those of a data folder."""
    chosen = DeploymentSettings.model_validate(settings)
    return Workspaces(data, lambda: chosen, lambda: 1000.0)


def test_a_new_one_has_no_registry(tmp_path: Path) -> None:
    """And the id that Azure would give it."""
    made = asyncio.run(workspaces(tmp_path, subscription=SUBSCRIPTION).create("Lab1", "somebody", "group"))
    assert made.container_registry is None
    assert made.id == (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/group"
        "/providers/Microsoft.MachineLearningServices/workspaces/Lab1"
    )


def test_the_default_one_is_there(tmp_path: Path) -> None:
    """Without being created; the same one each time."""
    first, again = (workspaces(tmp_path, workspace="home").show("HOME") for _ in range(2))
    assert (first.name, first.workspace_id) == ("home", again.workspace_id)


def test_a_registry_is_given_once(tmp_path: Path) -> None:
    """The first counts, and is there after a restart."""
    found = workspaces(tmp_path, registry_name="myregistry")
    asyncio.run(found.create("Lab1", "somebody"))
    given = asyncio.run(found.set_registry("lab1")).container_registry
    assert str(given).endswith("/registries/myregistry")
    assert asyncio.run(found.set_registry("Lab1", "/other")).container_registry == given
    assert workspaces(tmp_path).show("Lab1").container_registry == given


@pytest.mark.parametrize("name", ["", "ab", "-abc", "a" * 34, "a b c", "../../etc", "läb1"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    """Nothing is written."""
    with pytest.raises(WorkspaceRefused, match="is no name"):
        asyncio.run(workspaces(tmp_path).create(name, "somebody"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["lab1", "LAB1", "default"])
def test_names_that_are_taken(tmp_path: Path, name: str) -> None:
    """Capitals do not count."""
    found = workspaces(tmp_path)
    asyncio.run(found.create("Lab1", "somebody"))
    with pytest.raises(WorkspaceRefused, match="is there already"):
        asyncio.run(found.create(name, "somebody"))


def test_one_that_is_not_there(tmp_path: Path) -> None:
    """How it is made."""
    with pytest.raises(WorkspaceRefused, match="basegate workspace create"):
        workspaces(tmp_path).show("lab1")


def test_there_is_a_most(tmp_path: Path) -> None:
    """Of workspaces."""
    found = workspaces(tmp_path, workspaces_most=1)
    asyncio.run(found.create("lab1", "somebody"))
    with pytest.raises(WorkspaceRefused, match="workspaces_most"):
        asyncio.run(found.create("lab2", "somebody"))


def test_they_are_listed_by_name(tmp_path: Path) -> None:
    """The default one among them."""
    found = workspaces(tmp_path)
    for name in ("zeta", "Alpha"):
        asyncio.run(found.create(name, "somebody"))
    assert [each.name for each in found.all()] == ["Alpha", "default", "zeta"]
