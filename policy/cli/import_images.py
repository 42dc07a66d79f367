"""`basegate import`: images from archives, layouts and other registries into a repository, each with its verdict.

Exit codes: 0 imported, 2 not: the message says what of the source or the target is not as it has to be.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from policy.attestation.recognition import is_signed_verdict
from policy.cli.transfer_options import (
    Calling,
    RepositoryReference,
    is_typed,
    parameters_are_local,
    source_reference,
    transfer_options,
)
from policy.cli.transfer_progress import Progress
from policy.cli.transfer_repositories import Repositories
from policy.cli.verdict_lines import image_document, image_line
from registry.cli.command_audit import audited
from registry.cli.data_folder import settings_of
from registry.transfer.choosing import chosen
from registry.transfer.contents import Source
from registry.transfer.copying import Copying
from registry.transfer.opening import open_path, open_stream
from registry.transfer.platforms import Selection

_STANDARD_INPUT = "-"


@click.command("import", short_help="Bring images from archives, layouts or registries into a repository.")
@click.argument("source")
@click.argument("repository", metavar="REPO")
@click.option("--all", "every", is_flag=True, help="All images of the source, each under its tag.")
@click.option("--image", "named", default="", metavar="NAME", help="The tag, name or digest of the wanted one.")
@click.option("--platform", "platforms", multiple=True, metavar="OS/ARCH", help="Of an index, this platform alone.")
@click.option("--no-referrers", is_flag=True, help="Leave behind what refers to the images: signatures, SBOMs.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=300.0, show_default=True, help="Seconds to wait for a verdict."
)
@transfer_options
@audited("import", when=parameters_are_local("repository"))
def import_command(  # noqa: PLR0913 - one per option
    source: str,
    repository: str,
    *,
    every: bool,
    named: str,
    platforms: tuple[str, ...],
    no_referrers: bool,
    wait: float,
    data: Path,
    as_json: bool,
    **flags: Any,
) -> None:
    """Bring images of SOURCE into REPO.

    SOURCE is an archive of docker save or podman save, an OCI layout (a folder or a tar), - for one of these on
    standard input, or HOST[:PORT]/repository[:tag] of a registry. REPO is HOST:PORT/repository[:tag] of a running
    server, or repository[:tag] in a data folder; with --data always the latter.
    """
    if source == _STANDARD_INPUT and flags["password_stdin"]:
        raise click.UsageError("standard input cannot be the archive and the secret: basegate login keeps the secret")
    context = click.get_current_context()
    typed = RepositoryReference.parse(repository, local=is_typed(context, "data"))
    if typed.reference is not None and typed.tag is None:
        raise click.UsageError("REPO ends with a tag or with nothing: a digest is what the content has")
    wanted = _Wanted(named, Selection.parse(platforms), every=every, referrers=not no_referrers)
    work = _Import(source, typed, Repositories(Calling.typed(**flags), settings_of(context), data))
    with Progress(as_json=as_json) as progress:
        asyncio.run(work.run(wanted, progress, wait))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which images of the source, and what of them."""

    named: str
    selection: Selection
    every: bool
    referrers: bool


@dataclass(frozen=True, slots=True)
class _Import:
    """From where to where, and with what."""

    source: str
    typed: RepositoryReference
    repositories: Repositories

    async def run(self, wanted: _Wanted, progress: Progress, wait: float) -> None:
        """Import all that is wanted, one image after the other."""
        async with self.repositories.target(self.typed, wait) as (target, judge), self._source() as source:
            copying = Copying(
                source,
                target,
                self.repositories.settings.transfer,
                listener=progress.hear,
                selection=wanted.selection,
                referrers=wanted.referrers,
                leave=is_signed_verdict if self._is_of_target() else lambda _referrer: False,
            )
            images = chosen(await source.images(), named=wanted.named, every=wanted.every, tag=self.typed.tag)
            for image, tag in images:
                copied = await copying.copy(image, tag)
                judged = await judge(copied)
                progress.tell(image_line(self.typed, copied, judged), image_document(self.typed, copied, judged))
        progress.sum_up()

    @asynccontextmanager
    async def _source(self) -> AsyncIterator[Source]:
        archive = await asyncio.to_thread(self._archive)
        if archive is not None:
            try:
                yield archive
            finally:
                await archive.close()
            return
        typed = source_reference(self.source)
        async with self.repositories.source(typed, typed.reference, own=typed.host == self.typed.host) as source:
            yield source

    def _is_of_target(self) -> bool:
        """Whether the source is of the very registry that it goes to."""
        if self.source == _STANDARD_INPUT or Path(self.source).exists():
            return False
        return source_reference(self.source).host == self.typed.host

    def _archive(self) -> Source | None:
        """The archive or layout that is meant; `None`: an image of a registry is."""
        limits, path = self.repositories.settings.transfer, Path(self.source)
        if self.source == _STANDARD_INPUT:
            return open_stream(os.fdopen(os.dup(0), "rb", buffering=0), limits)
        return open_path(path, limits) if path.exists() else None
