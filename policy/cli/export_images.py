"""`basegate export`: images of a repository as one OCI layout, with their tags and what refers to them.

Exit codes: 0 all that was asked for, 1 something is withheld from the caller and was left out, 2 it could not be done.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from policy.cli.transfer_options import Calling, RepositoryReference, is_typed, parameters_are_local, transfer_options
from policy.cli.transfer_progress import Progress
from policy.cli.transfer_repositories import Repositories
from registry.cli.command_audit import audited
from registry.cli.data_folder import settings_of
from registry.cli.output import size
from registry.errors import visible
from registry.transfer.exporting import Exported, Exporting
from registry.transfer.layout_files import layout_files
from registry.transfer.withheld import Withheld

_LEFT_OUT = 1


@click.command("export", short_help="Write images of a repository as one OCI layout.")
@click.argument("repository", metavar="REPO")
@click.argument("out")
@click.option("--no-referrers", is_flag=True, help="Leave out what refers to the images: signatures, SBOMs.")
@click.option(
    "--as", "as_whom", default="", metavar="PRINCIPAL", help="Of a data folder: what this principal may pull."
)
@transfer_options
@audited("export", when=parameters_are_local("repository"))
def export_command(  # noqa: PLR0913 - one per option
    repository: str, out: str, *, no_referrers: bool, as_whom: str, data: Path, as_json: bool, **flags: Any
) -> None:
    """Write REPO (all its tags, or one image of it) to OUT.

    REPO is HOST:PORT/repository[:tag] of a running server, or repository[:tag] in a data folder; with --data always the
    latter. OUT is a folder, a file that ends with .tar, or - for a tar on standard output. The layout holds what the
    caller may pull; for a data folder that is what anybody may pull who may not push, unless --as names someone.
    """
    context = click.get_current_context()
    typed = RepositoryReference.parse(repository, local=is_typed(context, "data"))
    if as_whom and not typed.is_local:
        raise click.UsageError("--as is for data folders: a server asks for credentials")
    work = _Export(typed, Repositories(Calling.typed(**flags), settings_of(context), data, as_whom))
    with Progress(as_json=as_json, to_stderr=out == "-") as progress:
        withheld = asyncio.run(work.run(out, progress, referrers=not no_referrers))
    if withheld.reasons:
        context.exit(_LEFT_OUT)


class _Export:
    def __init__(self, typed: RepositoryReference, repositories: Repositories) -> None:
        self._typed = typed
        self._repositories = repositories

    async def run(self, out: str, progress: Progress, *, referrers: bool) -> Withheld:
        """Export; what was left out."""
        async with self._repositories.source(self._typed, self._typed.reference, own=True) as source:
            exporting = Exporting(source, self._repositories.settings.transfer, progress.hear, referrers=referrers)
            try:
                exported = await exporting.write(await asyncio.to_thread(layout_files, out, sys.stdout.buffer))
            finally:
                for image, reason in source.withheld.reasons.items():
                    line = visible(f"{image} is left out: {reason}")
                    progress.tell(line, {"event": "withheld", "image": image, "message": reason})
            progress.tell(_line(self._typed, out, exported), _document(self._typed, exported))
            return source.withheld


def _line(typed: RepositoryReference, out: str, exported: Exported) -> str:
    what = f"{len(exported.images)} images, {exported.referrers} referrers, {exported.blobs} blobs"
    return f"{typed} is in {out}: {what}, {size(exported.size)}"


def _document(typed: RepositoryReference, exported: Exported) -> Mapping[str, Any]:
    return {
        "event": "exported",
        "repository": str(typed),
        "images": [{"tag": image.tag, "digest": image.descriptor.digest} for image in exported.images],
        "referrers": exported.referrers,
        "manifests": exported.manifests,
        "blobs": exported.blobs,
        "size": exported.size,
    }
