"""Workspaces: what a deployment belongs to. Each has a container registry from its first deployment on, as in Azure.

`containerRegistry` is null until the first deployment is recorded, and the registry's id afterwards; the registry is
always this one. The default workspace of the settings is there without being created.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from policy.deployments.json_folder import JsonFolder
from policy.deployments.settings import DeploymentSettings
from registry.errors import BasegateError

FOLDER = Path("records/workspaces")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}")
_GROUP = re.compile(r"[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]")
_NAMESPACE = uuid.UUID("6f0c4b7e-7d0a-4e0e-9f43-3a6b8f1d2c55")


class WorkspaceRefused(BasegateError):
    """A workspace cannot be created or is not there; the message says why."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace.

    Attributes:
        name: 3 to 33 letters, digits, `-` and `_`; capitals do not count when it is looked for.
        workspace_id: a UUID.
        subscription, resource_group: of its id.
        created: seconds since the epoch; 0 for the default one.
        created_by: name of the principal; "" for the default one.
        container_registry: the id of the registry; `None` until the first deployment is recorded.
    """

    name: str
    workspace_id: str
    subscription: str
    resource_group: str
    created: float = 0.0
    created_by: str = ""
    container_registry: str | None = None

    @property
    def id(self) -> str:
        """The id by which Azure's management calls it."""
        return f"{self._group}/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"

    def registry_id(self, registry_name: str) -> str:
        """The id of a registry in the same resource group."""
        return f"{self._group}/providers/Microsoft.ContainerRegistry/registries/{registry_name}"

    @property
    def _group(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @classmethod
    def from_kept(cls, document: Mapping[str, Any]) -> Self:
        """What `asdict` gave. Raises TypeError when it is something else."""
        return cls(**document)


class Workspaces:
    """Creates, shows and changes them; for one process at a time.

    Args:
        data: the data folder.
        settings: those of deployments that count now.
        clock: seconds since the epoch.

    Raises:
        RecordsUnreadable, OSError: what is there cannot be read.
    """

    def __init__(
        self, data: Path, settings: Callable[[], DeploymentSettings], clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = JsonFolder(data / FOLDER, Workspace.from_kept)
        self._settings = settings
        self._clock = clock
        self._lock = asyncio.Lock()

    @property
    def default_name(self) -> str:
        """The workspace of deployments that name none."""
        return self._settings().workspace

    def all(self) -> list[Workspace]:
        """Every workspace, by name."""
        known = self._folder.all()
        default = self._default()
        known.setdefault(default.name.lower(), default)
        return [known[key] for key in sorted(known)]

    def show(self, name: str) -> Workspace:
        """The workspace of a name.

        Raises:
            WorkspaceRefused: there is none.
        """
        found = self._folder.get(name.lower())
        default = self._default()
        if found is None and name.lower() == default.name.lower():
            return default
        if found is None:
            raise WorkspaceRefused(f"there is no workspace {name[:80]!r}: basegate workspace create NAME makes one")
        return found

    async def create(self, name: str, by: str, resource_group: str = "", subscription: str = "") -> Workspace:
        """A new workspace, without a container registry.

        Args:
            name: see `Workspace`.
            by: name of who creates it.
            resource_group: of its id; "" takes that of the settings.
            subscription: the same.

        Raises:
            WorkspaceRefused: the name is none or taken, or there are as many as there may be.
        """
        settings = self._settings()
        group = resource_group or settings.resource_group
        _require_names(name, group)
        async with self._lock:
            if any(each.name.lower() == name.lower() for each in self.all()):
                raise WorkspaceRefused(f"workspace {name} is there already")
            if len(self._folder.all()) >= settings.workspaces_most:
                raise WorkspaceRefused(f"there are {settings.workspaces_most} workspaces (deployments.workspaces_most)")
            made = Workspace(name, str(uuid.uuid4()), subscription or settings.subscription, group, self._clock(), by)
            return await self._keep(made)

    async def set_registry(self, name: str, registry_id: str | None = None) -> Workspace:
        """Give a workspace its container registry, when it has none; by default this one in its own resource group."""
        async with self._lock:
            found = self.show(name)
            if found.container_registry is not None:
                return found
            given = registry_id or found.registry_id(self._settings().registry_name)
            return await self._keep(replace(found, container_registry=given))

    async def _keep(self, workspace: Workspace) -> Workspace:
        await asyncio.to_thread(self._folder.put, workspace.name.lower(), workspace, asdict(workspace))
        return workspace

    def _default(self) -> Workspace:
        settings = self._settings()
        name = settings.workspace
        return Workspace(name, str(uuid.uuid5(_NAMESPACE, name)), settings.subscription, settings.resource_group)


def _require_names(name: str, group: str) -> None:
    if not _NAME.fullmatch(name):
        raise WorkspaceRefused(f"{name[:80]!r} is no name of a workspace: needs 3 to 33 letters, digits, - and _")
    if not _GROUP.fullmatch(group):
        raise WorkspaceRefused(
            f"{group[:80]!r} is no name of a resource group: needs 1 to 90 letters, digits, _ ( ) . -"
        )
