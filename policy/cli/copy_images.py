"""`basegate copy`: images from one registry or data folder to another, without anything in between."""

import asyncio
from pathlib import Path
from typing import Any

import click

from policy.attestation.recognition import is_signed_verdict
from policy.cli.transfer_options import Calling, RepositoryReference, transfer_options
from policy.cli.transfer_progress import Progress
from policy.cli.transfer_repositories import Repositories
from policy.cli.verdict_lines import image_document, image_line
from registry.cli.command_audit import audited
from registry.cli.data_folder import settings_of
from registry.oci.names import Tag
from registry.transfer.choosing import chosen
from registry.transfer.copying import Copying
from registry.transfer.platforms import Selection


@click.command("copy", short_help="Copy images from one registry to another.")
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.option("--all", "every", is_flag=True, help="All tags of SRC.")
@click.option("--platform", "platforms", multiple=True, metavar="OS/ARCH", help="Of an index, this platform alone.")
@click.option("--no-referrers", is_flag=True, help="Leave behind what refers to the images: signatures, SBOMs.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=300.0, show_default=True, help="Seconds to wait for a verdict."
)
@click.option(
    "--as", "as_whom", default="", metavar="PRINCIPAL", help="Of a data folder: what this principal may pull."
)
@transfer_options
@audited("copy", when=lambda parameters: RepositoryReference.parse(str(parameters["target"]), local=False).is_local)
def copy_command(  # noqa: PLR0913 - one per option
    source: str,
    target: str,
    *,
    every: bool,
    platforms: tuple[str, ...],
    no_referrers: bool,
    as_whom: str,
    wait: float,
    data: Path,
    as_json: bool,
    **flags: Any,
) -> None:
    """Copy SRC to DST, each HOST[:PORT]/repository[:tag], or repository[:tag] of the data folder.

    Without a tag, SRC means latest, and DST the tag of SRC. The flags for signing in are for the registry of DST; that
    of SRC gets what basegate login, docker login or podman login has kept for it.
    """
    here, there = RepositoryReference.parse(source, local=False), RepositoryReference.parse(target, local=False)
    if there.reference is not None and there.tag is None:
        raise click.UsageError("DST ends with a tag or with nothing: a digest is what the content has")
    if every and here.reference is not None:
        raise click.UsageError("--all takes all tags of SRC: name it without one")
    repositories = Repositories(Calling.typed(**flags), settings_of(click.get_current_context()), data, as_whom)
    copying = {"selection": Selection.parse(platforms), "referrers": not no_referrers}
    with Progress(as_json=as_json) as progress:
        asyncio.run(_copy(here, there, repositories, progress, wait, every=every, **copying))


async def _copy(  # noqa: PLR0913
    here: RepositoryReference,
    there: RepositoryReference,
    repositories: Repositories,
    progress: Progress,
    wait: float,
    *,
    every: bool,
    **copying: Any,
) -> None:
    """Copy all that is wanted, one image after the other."""
    reference = here.reference or (None if every else Tag("latest"))
    beside = here.repository if here.host == there.host else None
    async with (
        repositories.source(here, reference, own=here.host == there.host) as source,
        repositories.target(there, wait, beside) as (target, judge),
    ):
        leave = is_signed_verdict if here.host == there.host else lambda _referrer: False
        work = Copying(source, target, repositories.settings.transfer, listener=progress.hear, leave=leave, **copying)
        for image, tag in chosen(await source.images(), named="", every=every, tag=there.tag):
            copied = await work.copy(image, tag)
            judged = await judge(copied)
            progress.tell(image_line(there, copied, judged), image_document(there, copied, judged))
    progress.sum_up()
