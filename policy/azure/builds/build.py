"""One build from its context to the pushed image: unpack, fetch base images, build, push, and the verdict."""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy.azure.builds.base_images import base_images, has_run_line
from policy.azure.builds.builder import Builder, builder_of
from policy.azure.builds.builders import ARCHIVE, CONTEXT, DIGESTS, STORAGE, Target, auth_document
from policy.azure.builds.jail import UNPACK
from policy.azure.builds.request import BuildRequest, ImageName
from policy.azure.builds.run import RunStatus
from policy.azure.builds.run_log import RunLog
from policy.azure.builds.settings import BuildSettings
from policy.azure.builds.steps import Step, StepEnded, Steps
from policy.azure.builds.usage import Growth
from registry.auth.sign_in import Identity
from registry.auth.token_service import TokenService
from registry.errors import BasegateError
from registry.oci.digest import Digest
from registry.oci.image_reference import ImageReference

_DOCKERFILE_MAXIMUM = 1 << 20
_DIGEST_MAXIMUM = 200
_BASES_MAXIMUM = 200
_ASKING_SECONDS = 60.0
_NEEDS_ROOT = (
    "This server does not run as root, so a RUN line cannot begin: build images that only copy, have whoever runs the "
    "server start it as root, or set azure.builds.builder to docker"
)


@dataclass(frozen=True, slots=True)
class Tools:
    """What every build is given: what makes tokens, and who words verdicts."""

    token_service: TokenService
    judge: Callable[[Identity, ImageName], Coroutine[Any, Any, str]]


@dataclass(frozen=True, slots=True)
class Pushed:
    """A name that was pushed, and the digest it has."""

    name: ImageName
    digest: str

    def document(self) -> dict[str, str]:
        """`{"repository", "tag", "digest"}`."""
        return {"repository": self.name.repository, "tag": self.name.tag, "digest": self.digest}


class Build:
    """One build.

    Args:
        work: its folder; made now, and the caller's to remove.
        settings: the limits that count for it.
        log: what it prints.
        canceled: set when it is not wanted any more.
        tools: see `Tools`.
    """

    def __init__(self, work: Path, settings: BuildSettings, log: RunLog, canceled: asyncio.Event, tools: Tools) -> None:
        self._work = work
        self._settings = settings
        self._log = log
        self._canceled = canceled
        self._tools = tools

    async def carry_out(  # noqa: PLR0913, PLR0917
        self,
        request: BuildRequest,
        images: Sequence[ImageName],
        caller: Identity,
        target: Target,
        archive: Path,
        pushed: list[Pushed],
    ) -> None:
        """Build and push; `pushed` grows with each name.

        Raises:
            StepEnded: it did not come to a good end.
        """
        builder = builder_of(self._settings)
        if builder is None:
            raise StepEnded(RunStatus.FAILED, "builds were switched off meanwhile")
        network = self._settings.network
        seconds = min(request.seconds or self._settings.seconds, self._settings.seconds)
        ends = time.monotonic() + seconds
        self._prepare(archive, builder.files(target, network=network))
        growth = await _growth(builder, self._work)
        steps = Steps(self._work, self._settings, self._log, ends, self._canceled, growth)
        await steps.run(Step((UNPACK, ARCHIVE, CONTEXT), jailed=True, network=False, environment={}))
        bases = self._bases(request, target, builder)
        try:
            for image in bases:
                await self._fetch(steps, builder, image, caller, target)
            await self._run_lines(steps, builder, request)
            if builder.jailed and images:
                await self._begin_anew(builder.files(target, network=network))
            for name in images:
                await self._push(steps, builder, name, caller, target)
                pushed.append(Pushed(name, self._digest()))
                self._log.say(await self._tools.judge(caller, name))
        finally:
            # Other builds could begin with what the builder keeps elsewhere; what is gone already, it cannot take away.
            cleaning = builder.clean(target, images, bases, killed=steps.killed)
            await asyncio.shield(_ask(cleaning, builder.environment(), self._work))

    async def _run_lines(self, steps: Steps, builder: Builder, request: BuildRequest) -> None:
        secrets = {argument.name: argument.value for argument in request.arguments if argument.secret}
        network = self._settings.network
        command = builder.build(request, network=network)
        try:
            await steps.run(Step(command, builder.jailed, network, {**builder.environment(), **secrets}))
        except StepEnded as ended:
            needs_root = builder.jailed and os.geteuid() != 0 and has_run_line(self._dockerfile(request))
            if ended.status is RunStatus.FAILED and needs_root:
                self._log.say(_NEEDS_ROOT)
            raise

    async def _push(self, steps: Steps, builder: Builder, name: ImageName, caller: Identity, target: Target) -> None:
        token = self._tools.token_service.narrow(caller, [f"repository:{name.repository}:pull,push"])
        self._lend(target, token, builder)
        command = builder.push(target, name)
        await steps.run(Step(command, builder.jailed, network=True, environment=builder.environment()))

    def _prepare(self, archive: Path, files: Mapping[str, str]) -> None:
        """The build's folder: its own user's, where it is set apart."""
        self._work.mkdir(mode=0o700, parents=True)
        archive.replace(self._work / ARCHIVE)
        self._furnish(files)
        self._give(self._work / ARCHIVE)

    def _furnish(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self._work / name).write_text(text, encoding="utf-8")
        self._give(self._work, *(self._work / name for name in files))

    async def _begin_anew(self, files: Mapping[str, str]) -> None:
        """A RUN line may have left settings for the builder, which has the network and a token from now on."""
        try:
            await keep_only(self._work, STORAGE)
        except OSError:
            raise StepEnded(RunStatus.FAILED, "the build has left no image to push") from None
        self._furnish(files)

    def _give(self, *paths: Path) -> None:
        if os.geteuid() == 0:
            for path in paths:
                os.lchown(path, self._settings.first_uid, self._settings.first_uid)

    def _bases(self, request: BuildRequest, target: Target, builder: Builder) -> list[str]:
        """The base images that are of this registry; what it says of others is said in the log.

        Raises:
            StepEnded: there are too many, or others that the builder would fetch although builds have no network.
        """
        arguments = {argument.name: argument.value for argument in request.arguments}
        ours: list[str] = []
        images = base_images(self._dockerfile(request), arguments)
        if len(images) > _BASES_MAXIMUM:
            raise StepEnded(RunStatus.FAILED, f"{len(images)} base images are more than {_BASES_MAXIMUM}")
        for image in images:
            if image.partition("/")[0].lower() in target.names:
                ours.append(image)
            elif not self._settings.network:
                where = f"{target.names[0]}/{image.rpartition('/')[2]}"
                self._log.say(
                    f"The base image {image} is not of this registry, and this build has no network: push it here "
                    f"first, and write FROM {where}"
                )
                if not builder.jailed:  # a daemon has the network, whatever its builds have
                    raise StepEnded(RunStatus.FAILED, f"the base image {image} is not of this registry")
        return ours

    def _dockerfile(self, request: BuildRequest) -> str:
        context = self._work / CONTEXT
        path = context / request.dockerfile
        try:
            if not path.resolve().is_relative_to(context.resolve()) or not path.is_file():
                raise FileNotFoundError
            with path.open("rb") as file:
                return file.read(_DOCKERFILE_MAXIMUM).decode("utf-8", "replace")
        except (OSError, RuntimeError):
            raise StepEnded(RunStatus.FAILED, f"the context has no {request.dockerfile}") from None

    async def _fetch(self, steps: Steps, builder: Builder, image: str, caller: Identity, target: Target) -> None:
        """A base image of this registry, with a right to pull that repository and no more."""
        try:
            repository = ImageReference.parse(image).repository
        except BasegateError as error:
            raise StepEnded(RunStatus.FAILED, f"the base image {image[:200]} has no valid name: {error}") from None
        self._lend(target, self._tools.token_service.narrow(caller, [f"repository:{repository}:pull"]), builder)
        await steps.run(
            Step(builder.pull(target, image), builder.jailed, network=True, environment=builder.environment())
        )
        (self._work / builder.credentials).unlink(missing_ok=True)

    def _lend(self, target: Target, token: str, builder: Builder) -> None:
        """Put credentials where the builder looks; no line of the Dockerfile runs while they are there."""
        path = self._work / builder.credentials
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(auth_document(target, token))
        self._give(path)

    def _digest(self) -> str:
        """What the builder says that it pushed; "" when it does not say."""
        try:
            descriptor = os.open(self._work / DIGESTS, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                return str(Digest.parse(file.read(_DIGEST_MAXIMUM).decode("ascii").strip()))
        except (OSError, ValueError, BasegateError):
            return ""


async def _ask(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> str:
    """Run a short command of the builder; what it says, or "" when it takes too long."""
    if not command:
        return ""
    none = asyncio.subprocess.DEVNULL
    variables = {"PATH": os.environ.get("PATH", os.defpath), **environment}
    asking = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=variables, stdin=none, stdout=asyncio.subprocess.PIPE, stderr=none
    )
    try:
        async with asyncio.timeout(_ASKING_SECONDS):
            return (await asking.communicate())[0].decode("utf-8", "replace").strip()
    except TimeoutError:
        asking.kill()
        return ""


async def _growth(builder: Builder, folder: Path) -> Growth:
    """Of the daemon that builds, if there is one and it says where: why it does not, the build itself tells."""
    said = await _ask(builder.storage(), builder.environment(), folder)
    return await asyncio.to_thread(Growth, Path(said) if said.startswith("/") else None)


async def keep_only(folder: Path, name: str) -> None:
    """Make a folder anew with one thing of what is in it. Raises OSError when that is not there."""
    left = folder.with_suffix(".left")
    try:
        _move(folder, left, name)
    finally:
        await remove(left)


def _move(folder: Path, left: Path, name: str) -> None:
    folder.rename(left)
    folder.mkdir(mode=0o700)
    (left / name).rename(folder / name)


async def remove(folder: Path) -> None:
    """However deep a build made its folders; `rm` does not recurse."""
    removing = await asyncio.create_subprocess_exec("rm", "-rf", "--one-file-system", "--", str(folder))
    await removing.wait()
