"""Decides on the images of a review: each is checked as any image that a deployment references."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from policy.gateway.check_result import CheckResult
from policy.gateway.hosts import is_ours
from policy.kubernetes.settings import KubernetesSettings, Other
from policy.rules.text_limits import REFUSAL_LIMIT, elided, listed
from policy.state import State
from registry.auth.principals import Principal
from registry.oci.digest import Digest
from registry.oci.errors import OciError
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName

_AGAINST = frozenset({"fail", "error"})
_JUDGED = frozenset({State.REFUSED, State.INCONCLUSIVE, State.NOT_APPLICABLE})
_NAME = 300


class Checker(Protocol):
    """Answers for images of this registry: `policy.gateway.checks`."""

    async def check(self, principal: Principal, image: ImageReference, at_most: float) -> CheckResult:
        """The result for one; an unknown image is denied. Waits so many seconds at most."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and for which registry.

    Attributes:
        principal: the caller.
        may_pull: whether it may pull from a repository, by role and token.
        here: the Host header of the request.
        hosts: further names that mean this registry.
        settings: of the section `kubernetes`.
    """

    principal: Principal
    may_pull: Callable[[RepositoryName], bool]
    here: str
    hosts: Collection[str]
    settings: KubernetesSettings

    @property
    def ours(self) -> str:
        """The names of this registry, for a message."""
        return ", ".join(dict.fromkeys(name for name in (*self.hosts, self.here) if name))


@dataclass(frozen=True, slots=True)
class ImageDecision:
    """The decision on one image.

    Attributes:
        image: as the object names it.
        allowed: whether it may start.
        message: why not, in at most 1,000 bytes; "" when it may.
        verdict: the policy's; "" for an image of another registry, or one that nobody looked for.
        pinned: the same image by the digest that was judged; "" when it was not judged.
        warnings: what a person should know although it may start.
    """

    image: str
    allowed: bool
    message: str = ""
    verdict: str = ""
    pinned: str = ""
    warnings: tuple[str, ...] = field(default=())


async def decide(images: Collection[str], checks: Checker, asked: Asked) -> dict[str, ImageDecision]:
    """The decision on each image, by its name; in the order in which they are named."""
    different = tuple(dict.fromkeys(images))
    most = asked.settings.images
    if len(different) > most:
        message = f"{len(different)} different images: a review may name {most} (kubernetes.images); split the object"
        return {image: ImageDecision(image, allowed=False, message=message) for image in different}
    made = await asyncio.gather(*(_decide(image, checks, asked) for image in different))
    return dict(zip(different, made, strict=True))


async def _decide(name: str, checks: Checker, asked: Asked) -> ImageDecision:
    try:
        image = ImageReference.parse(name)
    except OciError as error:
        message = f"{elided(name, _NAME)!r} cannot be judged: {error.message}"
        return ImageDecision(name, allowed=False, message=message)
    if not image.host or not is_ours(image.host, asked.here, asked.hosts):
        return _of_another(name, image, asked)
    if not asked.may_pull(image.repository):
        who = f"principal {asked.principal.name} may not pull from {image.repository}"
        return ImageDecision(name, allowed=False, message=f"{who}: ask with one that may (role AcrPull there)")
    return _of_ours(name, image, await checks.check(asked.principal, image, asked.settings.wait_seconds))


def _of_ours(name: str, image: ImageReference, result: CheckResult) -> ImageDecision:
    soft = tuple(_as_named(item["message"], image, result) for item in result.findings if item["result"] == "warn")
    warnings = tuple(text if text.startswith(str(image)) else f"{image}: {text}" for text in soft)
    if not result.allowed:
        return ImageDecision(name, allowed=False, message=_refusal(image, result), verdict=result.verdict)
    digest = None if result.digest is None else Digest(result.digest)
    pinned = str(replace(image, tag=None, digest=digest))
    return ImageDecision(name, allowed=True, verdict=result.verdict, pinned=pinned, warnings=warnings)


def _of_another(name: str, image: ImageReference, asked: Asked) -> ImageDecision:
    other, there = asked.settings.other, image.host or "docker.io"
    judged = f"{image} is on another registry ({there}): {asked.ours} is judged here"
    if other is Other.DENY:
        path = f"{image.host or 'docker.io'}/{image.repository}".replace(":", "_")
        push = f"push it here and name HOST/{path}, or set kubernetes.other"
        return ImageDecision(name, allowed=False, message=f"{judged}; {push}")
    warnings = (f"{judged}, and nothing else",) if other is Other.WARN else ()
    return ImageDecision(name, allowed=True, warnings=warnings)


def _refusal(image: ImageReference, result: CheckResult) -> str:
    """`IMAGE is not cleared by policy NAME: FINDING (FIX); …`.

    What is not found, locked or still being inspected is said by a finding that names the image itself.
    """
    judged = result.digest is not None and result.verdict in _JUDGED
    beginning = f"{elided(str(image), _NAME)} is not cleared by policy {result.policy['name']}: " if judged else ""
    return listed(beginning, tuple(_reasons(image, result)), REFUSAL_LIMIT)


def _reasons(image: ImageReference, result: CheckResult) -> Iterator[str]:
    for item in result.findings:
        if item["result"] in _AGAINST:
            fix = item.get("fix")
            text = _as_named(item["message"], image, result)
            yield f"{text} ({fix})" if fix else text


def _as_named(message: str, image: ImageReference, result: CheckResult) -> str:
    """The gate names what it decides on by its digest; whoever reads this knows the name that the object has."""
    return message.replace(f"{image.repository}@{result.digest}", str(image))
