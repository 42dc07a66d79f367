"""Judges an image that is not in a registry yet, as it would be judged there.

It is imported into a data folder of its own, which ends with the check: the same readers, limits, inspection workers
and decisions as behind a push.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from policy.assessment.settings import JudgingSettings
from policy.cli.engine_images import engine_of, open_saved
from policy.cli.folder_services import FolderServices, folder_services
from policy.cli.policy import chosen_policy, opened_judging
from policy.cli.transfer_options import RepositoryReference
from policy.decision import Mode
from policy.enforcement.activation import activate
from policy.gateway.check_result import CheckResult
from policy.gateway.checks import answer_of
from policy.settings import Settings, judging_section
from registry.auth.principals import anonymous, everybody
from registry.config.settings import RegistrySettings
from registry.metadata.open_store import open_metadata
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from registry.transfer.choosing import chosen
from registry.transfer.contents import Source, SourceImage
from registry.transfer.copying import Copying
from registry.transfer.errors import SourceUnusable
from registry.transfer.opening import open_path, open_stream
from registry.transfer.platforms import Selection
from registry.transfer.repository import Repository

STANDARD_INPUT = "-"
WAIT_SECONDS = 300.0
_TAG = Tag("checked")
_UNNAMED = RepositoryName("unpushed")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be judged, and as what.

    Attributes:
        text: a path, `-`, `docker:NAME` or `podman:NAME`.
        image: the tag, name or digest of one image among several; "": the only one.
        platforms: of an index, these alone; none: all.
        typed: where it will be pushed to, which decides on the policy; `None`: by the name that the image has.
        policy: name or file of a policy to judge by; "": that of the settings.
    """

    text: str
    image: str
    platforms: tuple[str, ...]
    typed: RepositoryReference | None
    policy: str


def check_unpushed(wanted: Wanted, settings: RegistrySettings, wait: float) -> CheckResult:
    """The result of a check of an image that is nowhere yet.

    Args:
        wanted: what is judged.
        settings: whose policies and limits count.
        wait: seconds to wait for its layers.

    Raises:
        SourceUnusable: it is no archive, layout or image, or is damaged.
        BasegateError: its manifest would be refused at a push, or the policy cannot be used.
    """
    return asyncio.run(_check(wanted, settings, wait))


async def _check(wanted: Wanted, settings: RegistrySettings, wait: float) -> CheckResult:
    selection = Selection.parse(wanted.platforms)
    source = await asyncio.to_thread(_source, wanted.text, settings)
    try:
        [(image, _)] = chosen(await source.images(), named=wanted.image, every=False, tag=_TAG)
        name = _repository(wanted, image)
        with _own_folder(settings, wanted.policy) as services:
            target = Repository(services.shelf, everybody(), name)
            copying = Copying(source, target, settings.transfer, selection=selection, referrers=False)
            copied = await copying.copy(image, _TAG)
            return await _answer(services, wanted.text, name, copied.digest, wait)
    finally:
        await source.close()


def _source(text: str, settings: RegistrySettings) -> Source:
    limits, saved = settings.transfer, engine_of(text)
    if text == STANDARD_INPUT:
        return open_stream(os.fdopen(os.dup(0), "rb", buffering=0), limits)
    return open_path(Path(text), limits) if saved is None or Path(text).exists() else open_saved(*saved, limits)


def _repository(wanted: Wanted, image: SourceImage) -> RepositoryName:
    """The repository it is judged in: where it will be pushed to, else by its name as docker knows it."""
    if wanted.typed is not None:
        return wanted.typed.repository
    if image.tag is None or image.name == image.tag:
        return _UNNAMED
    try:
        return RepositoryReference.parse(image.name, local=False).repository
    except click.BadParameter:
        return _UNNAMED


@contextmanager
def _own_folder(settings: RegistrySettings, policy: str) -> Iterator[FolderServices]:
    """A data folder until the block ends, with the policies of the settings, or one alone, in force."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="basegate-check-", ignore_cleanup_errors=True)
    except OSError as error:
        raise SourceUnusable(f"no folder for the check can be made: {error.strerror}: set TMPDIR") from None
    with folder as name:
        data = Path(name)
        open_metadata(data).close()
        judging = _withholding(judging_section(settings))
        if policy:
            judging = judging.model_copy(update={"bindings": ()})
            with opened_judging(Settings(data=data)) as opened:
                activate(opened.orders, opened.results, chosen_policy(policy, judging), "*", time.time())
        own = Settings(data=data).model_copy(update={"policy": judging, "transfer": settings.transfer})
        with folder_services(data, own) as services:
            yield services


def _withholding(judging: JudgingSettings) -> JudgingSettings:
    """The same without mode `reject`, which would refuse to take the image whose verdict is asked for."""
    bindings = tuple(
        item.model_copy(update={"mode": Mode.ENFORCE}) if item.mode is Mode.REJECT else item
        for item in judging.bindings
    )
    mode = Mode.ENFORCE if judging.mode is Mode.REJECT else judging.mode
    return judging.model_copy(update={"mode": mode, "bindings": bindings})


async def _answer(
    services: FolderServices, text: str, name: RepositoryName, digest: Digest, wait: float
) -> CheckResult:
    end = time.monotonic() + wait
    while True:
        standing = await services.gate.standing(anonymous(may_pull=False), name, digest)
        if standing.verdict is not None or time.monotonic() >= end:
            return answer_of(text, digest, standing)
