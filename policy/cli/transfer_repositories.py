"""Opens what the commands that move images name: repositories of data folders and of registries."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from policy.cli.transfer_options import Calling, RepositoryReference
from policy.cli.verdict_lines import Judge, judge_of_folder, judge_of_server
from registry.auth.actions import Action
from registry.auth.principals import Principal, anonymous, everybody
from registry.config.settings import RegistrySettings
from registry.errors import BasegateError
from registry.oci.errors import Denied
from registry.oci.names import Reference, RepositoryName
from registry.registry_client.unfinished_uploads import UnfinishedUploads, folder_of
from registry.transfer.contents import Target
from registry.transfer.remote import RemoteRepository

if TYPE_CHECKING:
    from policy.cli.folder_services import FolderServices
    from registry.transfer.repository import Repository


class PrincipalUnknown(BasegateError):
    """Nobody enabled has the name that was given."""


@dataclass(frozen=True, slots=True)
class Repositories:
    """Opens what was typed.

    Attributes:
        calling: how registries are called.
        settings: of the command.
        data: the data folder that names without a host are in.
        as_whom: the principal that reads in the data folder; "": somebody who may only pull.
    """

    calling: Calling
    settings: RegistrySettings
    data: Path
    as_whom: str = ""

    @asynccontextmanager
    async def source(
        self, typed: RepositoryReference, reference: Reference | None, *, own: bool
    ) -> AsyncIterator["Repository | RemoteRepository"]:
        """A repository to read from: one image of it, or all tags. `own`: with the credentials that were typed."""
        if typed.is_local:
            from policy.cli.folder_services import folder_services  # noqa: PLC0415 - slow to import, and needed here only
            from registry.transfer.repository import Repository  # noqa: PLC0415

            with folder_services(self.data, self.settings) as services:
                principal = await self._principal(services, typed.repository)
                yield Repository(services.shelf, principal, typed.repository, reference)
            return
        remote = RemoteRepository(self.calling.client(typed, own=own), typed.repository, reference)
        try:
            yield remote
        finally:
            await remote.close()

    @asynccontextmanager
    async def target(
        self, typed: RepositoryReference, wait: float, beside: RepositoryName | None = None
    ) -> AsyncIterator[tuple[Target, Judge]]:
        """A repository to write to, and who judges what goes there; waits so many seconds for each verdict."""
        if typed.is_local:
            from policy.cli.folder_services import folder_services  # noqa: PLC0415 - slow to import, and needed here only
            from registry.content.pull_through import require_pushable  # noqa: PLC0415
            from registry.transfer.blob_uploads import NOTES  # noqa: PLC0415
            from registry.transfer.repository import Repository  # noqa: PLC0415

            require_pushable(self.settings.upstreams, typed.repository)
            with folder_services(self.data, self.settings) as services:
                notes = self._unfinished(self.data / NOTES)
                target = Repository(services.shelf, everybody(), typed.repository, unfinished=notes)
                yield target, judge_of_folder(services.gate, typed, wait)
            return
        client = self.calling.client(typed, unfinished=self._unfinished(folder_of(os.environ, Path.home())))
        remote = RemoteRepository(client, typed.repository, beside=beside)
        try:
            yield remote, judge_of_server(self.calling, typed, wait)
        finally:
            await remote.close()

    def _unfinished(self, folder: Path) -> UnfinishedUploads:
        limits = self.settings.transfer
        return UnfinishedUploads(folder, limits.resume_bytes, limits.resume_seconds)

    async def _principal(self, services: "FolderServices", repository: RepositoryName) -> Principal:
        if not self.as_whom:
            return anonymous(may_pull=True)
        from registry.auth.principal_cache import account_of  # noqa: PLC0415 - slow to import, and needed here only
        from registry.metadata import principals  # noqa: PLC0415

        account = account_of(await services.metadata.read(principals.find, self.as_whom))
        if account is None:
            raise PrincipalUnknown(f"there is no enabled principal {self.as_whom[:128]!r}: basegate principal ls")
        if not account.principal.may(Action.PULL, repository):
            raise Denied(f"principal {account.principal.name} may not pull from {repository}")
        return account.principal
