"""Deployments: recorded, shown, released. The image of a recorded one is held in the registry until it is released."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from policy.deployments.json_folder import JsonFolder
from policy.deployments.receipt_key import receipt_keys
from policy.deployments.receipts import issue
from policy.deployments.record import Deployment, Wanted
from policy.deployments.settings import DeploymentSettings
from policy.deployments.workspaces import Workspaces
from policy.signing.key_ring import KeyRing
from registry.auth.principals import Principal
from registry.auth.signing_key import SigningKey
from registry.errors import BasegateError
from registry.metadata import holds
from registry.metadata.holds import Hold
from registry.metadata.store import MetadataStore
from registry.oci.errors import ManifestUnknown

FOLDER = Path("records/deployments")
_HOLD = "deployment/"


class DeploymentRefused(BasegateError):
    """A deployment cannot be recorded; the message says why and what to do."""


class Deployments:
    """Keeps the records; for one process at a time.

    Args:
        data: the data folder.
        metadata: where holds are placed.
        workspaces: what deployments belong to.
        settings: those of deployments that count now.
        issuer: who receipts say that they are from.
        clock: seconds since the epoch.

    Raises:
        RecordsUnreadable, OSError: what is there cannot be read.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        data: Path,
        metadata: MetadataStore,
        workspaces: Workspaces,
        settings: Callable[[], DeploymentSettings],
        issuer: Callable[[], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._data = data
        self._metadata = metadata
        self._workspaces = workspaces
        self._settings = settings
        self._issuer = issuer
        self._clock = clock
        self._folder = JsonFolder(data / FOLDER, Deployment.from_kept)
        self._lock = asyncio.Lock()
        self._ring: KeyRing | None = None

    def all(self) -> list[Deployment]:
        """Every deployment, the latest first."""
        return sorted(self._folder.all().values(), key=lambda each: (each.recorded, each.id), reverse=True)

    def find(self, identifier: str) -> Deployment | None:
        """The deployment of an id."""
        return self._folder.get(identifier)

    def of_service(self, name: str, workspace: str) -> Deployment | None:
        """The deployment of a service that is recorded and not released."""
        running = (each for each in self._folder.all().values() if each.released is None)
        here = (name, workspace.lower())
        return next((each for each in running if (each.wanted.name, each.wanted.workspace.lower()) == here), None)

    async def record(  # noqa: PLR0913
        self,
        by: Principal,
        wanted: Wanted,
        verdict: str,
        policy: Mapping[str, Any],
        *,
        overwrite: bool,
        releasable: Callable[[Deployment], bool],
    ) -> Deployment:
        """Record a deployment whose image was cleared, hold the image, and give a receipt.

        The same deployment again keeps its record and gets a new receipt.

        Args:
            by: who asks.
            wanted: what it is made of.
            verdict: what the policy said of the image.
            policy: `{"name", "digest"}`.
            overwrite: release the deployment of the same service that is recorded from something else.
            releasable: whether who asks may release a deployment.

        Raises:
            DeploymentRefused: the service is deployed from something else, or there are too many deployments.
            WorkspaceRefused: there is no such workspace.
            ManifestUnknown: the image is not there any more.
        """
        self._workspaces.show(wanted.workspace)
        ring = await self._keys()
        key = await asyncio.to_thread(lambda: ring.current)
        async with self._lock:
            before = self.of_service(wanted.name, wanted.workspace)
            if before is not None and before.wanted == wanted:
                made = replace(before, verdict=verdict, policy=policy)
            else:
                if before is not None and not releasable(before):
                    raise DeploymentRefused(_taken(before))
                self._require_room(before, overwrite=overwrite)
                made = _new(by, wanted, verdict, policy, self._clock())
            made = self._with_receipt(made, key)
            await self._hold_and_keep(made)
            if before is not None and before.id != made.id:
                await self._let_go(before, by)
        await self._workspaces.set_registry(wanted.workspace)
        return made

    async def release(self, deployment: Deployment, by: Principal) -> Deployment:
        """Let go of a deployment's image; the record stays, as released."""
        async with self._lock:
            found = self.find(deployment.id) or deployment
            return found if found.released is not None else await self._let_go(found, by)

    async def keys(self) -> dict[str, Any]:
        """The public halves of what signs receipts and of what has signed them, as a JWK set."""
        return {"keys": await asyncio.to_thread((await self._keys()).jwks)}

    async def restore_holds(self) -> None:
        """Bring the registry's holds in line with the records: after a crash, or when its rows were restored."""
        placed = {hold.name: hold for hold in await self._metadata.read(holds.named, _HOLD)}
        async with self._lock:
            wanted = {_hold_of(each).name: _hold_of(each) for each in self.all() if each.released is None}
            for name in placed.keys() - wanted.keys():
                await self._metadata.write(holds.lift, name)
            for name in wanted.keys() - placed.keys():
                await self._hold_again(wanted[name])

    async def _hold_again(self, hold: Hold) -> None:
        try:
            await self._metadata.write(holds.place, hold)
        except ManifestUnknown as error:
            structlog.get_logger(__name__).warning(
                "the image of a recorded deployment is not here any more", hold=hold.name, reason=error.message
            )

    async def _hold_and_keep(self, made: Deployment) -> None:
        await self._metadata.write(holds.place, _hold_of(made))
        try:
            await asyncio.to_thread(self._folder.put, made.id, made, made.kept())
        except OSError:
            if self.find(made.id) is None:
                await self._metadata.write(holds.lift, _hold_of(made).name)
            raise

    async def _let_go(self, deployment: Deployment, by: Principal) -> Deployment:
        released = replace(deployment, released=self._clock(), released_by=by.name)
        await asyncio.to_thread(self._folder.put, released.id, released, released.kept())
        await self._metadata.write(holds.lift, _hold_of(released).name)
        await asyncio.to_thread(self._forget_oldest)
        return released

    def _forget_oldest(self) -> None:
        over = [each for each in self._folder.all().values() if each.released is not None]
        over.sort(key=lambda each: each.released or 0.0, reverse=True)
        for each in over[self._settings().released_kept :]:
            self._folder.remove(each.id)

    def _require_room(self, before: Deployment | None, *, overwrite: bool) -> None:
        if before is not None and not overwrite:
            raise DeploymentRefused(
                f"service {before.wanted.name} of workspace {before.wanted.workspace} is recorded from "
                f"{before.wanted.pinned} as {before.id}: give --overwrite, or basegate deployment release {before.id}"
            )
        most = self._settings().most
        if before is None and sum(each.released is None for each in self._folder.all().values()) >= most:
            raise DeploymentRefused(f"{most} deployments are recorded (deployments.most): release one that has ended")

    def _with_receipt(self, made: Deployment, key: SigningKey) -> Deployment:
        now = self._clock()
        ends = now + self._settings().receipt_seconds
        return replace(made, receipt=issue(key, self._issuer(), made, now, ends), ends=float(int(ends)))

    async def _keys(self) -> KeyRing:
        if self._ring is None:
            self._ring = await asyncio.to_thread(receipt_keys, self._data)
        return self._ring


def _new(by: Principal, wanted: Wanted, verdict: str, policy: Mapping[str, Any], now: float) -> Deployment:
    return Deployment(f"d-{secrets.token_hex(8)}", wanted, verdict, policy, now, by.id, by.name)


def _taken(before: Deployment) -> str:
    """Nothing of an image that the caller may not be allowed to know."""
    return (
        f"service {before.wanted.name} of workspace {before.wanted.workspace} is recorded already, by somebody else: "
        "choose another name, or have it released by who recorded it or may delete its image"
    )


def _hold_of(deployment: Deployment) -> Hold:
    wanted = deployment.wanted
    reason = f"deployment {deployment.id} of service {wanted.name} was recorded from it; basegate deployment release"
    return Hold(
        f"{_HOLD}{deployment.id}", wanted.repository, wanted.digest, f"{reason} {deployment.id}", deployment.recorded
    )
