"""What an import is asked to be: ACR's `ImportImageParameters`, read without I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.azure.arm_body import list_in, needed_text, objects_in, text_in
from policy.azure.arm_errors import ArmError
from registry.oci.errors import OciError
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName, Tag
from registry.registry_client.credentials import Credentials

_TARGETS_MAXIMUM = 50
_INVALID = "InvalidParameter"


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """A repository, and the tag there; without one the image is kept by its digest."""

    repository: RepositoryName
    tag: Tag | None

    def __str__(self) -> str:
        """`repository:tag`."""
        return f"{self.repository}:{self.tag}" if self.tag else str(self.repository)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """An import.

    Attributes:
        host: HOST[:PORT] of the source's registry; "" for this one.
        image: the image there.
        login: credentials for it; `None`: anonymously.
        targets: where it goes.
        force: whether tags that are there already move.
    """

    host: str
    image: ImageReference
    login: Credentials | None
    targets: tuple[ImportTarget, ...]
    force: bool


def read_import(document: Mapping[str, Any], own_hosts: frozenset[str], own_id: str) -> ImportRequest:
    """Read a request.

    Args:
        document: the body.
        own_hosts: addresses of this registry.
        own_id: its resource id.

    Raises:
        ArmError: a member is missing or malformed; the message names it.
    """
    source = objects_in(document, "source")
    resource = text_in(source, "resourceId")
    host = text_in(source, "registryUri").removeprefix("https://").rstrip("/").lower()
    if resource and resource.lower() != own_id.lower():
        raise ArmError(400, _INVALID, f"source.resourceId is {resource[:128]!r}: the one registry here is {own_id}")
    if not resource and not host:
        raise ArmError(400, _INVALID, "the source has neither registryUri nor resourceId: name its registry")
    mode = text_in(document, "mode", "NoForce")
    if mode not in {"NoForce", "Force"}:
        raise ArmError(400, _INVALID, f"mode is {mode[:32]!r}: needs NoForce or Force")
    targets = (
        *(_target(text, tagged=True) for text in list_in(document, "targetTags")),
        *(_target(text, tagged=False) for text in list_in(document, "untaggedTargetRepositories")),
    )
    image = _image(needed_text(source, "sourceImage"))
    if len(targets) > _TARGETS_MAXIMUM:
        raise ArmError(400, _INVALID, f"{len(targets)} targets are named: at most {_TARGETS_MAXIMUM} at once")
    own = bool(resource) or host in own_hosts
    return ImportRequest(
        "" if own else host,
        image,
        _login(objects_in(source, "credentials")),
        targets or (ImportTarget(image.repository, image.tag),),
        mode == "Force",
    )


def _image(text: str) -> ImageReference:
    try:
        return ImageReference.parse_local(text)
    except OciError as error:
        raise ArmError(400, _INVALID, f"source.sourceImage: {error.message}") from None


def _target(text: Any, *, tagged: bool) -> ImportTarget:
    if not isinstance(text, str):
        raise ArmError(400, _INVALID, "a target is no text: needs repository:tag")
    try:
        image = ImageReference.parse_local(text)
    except OciError as error:
        raise ArmError(400, _INVALID, f"target {text[:128]!r}: {error.message}") from None
    if image.digest or (image.tag and not tagged):
        raise ArmError(400, _INVALID, f"target {text[:128]!r}: needs {'repository:tag' if tagged else 'a repository'}")
    return ImportTarget(image.repository, (image.tag or Tag("latest")) if tagged else None)


def _login(credentials: Mapping[str, Any]) -> Credentials | None:
    password = text_in(credentials, "password")
    username = text_in(credentials, "username")
    return Credentials(username, password, "the request") if password and username else None
