"""What a build is asked to be: ACR's `DockerBuildRequest`, read without I/O."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from policy.azure.arm_body import flag_in, list_in, needed_text, number_in, objects_in, text_in
from policy.azure.arm_errors import ArmError
from policy.azure.builds.run_log import lines_to_hide
from registry.errors import BasegateError
from registry.oci.errors import OciError
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName, Tag

KIND = "DockerBuildRequest"
RUN_ID = "{{.Run.ID}}"
_NAMES_MAXIMUM = 50
_ARGUMENTS_MAXIMUM = 200
_SECRET_LINES_MAXIMUM = 200
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_VALUE_MAXIMUM = 16_384
# A secret is handed over in the environment, and these mean something to the builder itself.
_BUILDERS_OWN = re.compile(
    r"PATH|HOME|TMPDIR|SHELL|LANG|LC_.*|LD_.*|GO.*|XDG_.*|CONTAINERS?_.*|BUILDAH_.*|_.*|DOCKER_.*|STORAGE_.*|REGISTRY_.*"
    r"|.*_PROXY|.*_proxy|SSL_.*|NOTIFY_SOCKET|DBUS_.*"
)


@dataclass(frozen=True, slots=True)
class ImageName:
    """A name that the built image is pushed under."""

    repository: RepositoryName
    tag: Tag

    def __str__(self) -> str:
        """`repository:tag`."""
        return f"{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Argument:
    """A build argument; a secret one is shown nowhere."""

    name: str
    value: str = field(repr=False)
    secret: bool


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """A build.

    Attributes:
        images: names of the image, `{{.Run.ID}}` not filled in; none: it is not pushed.
        push: whether it is pushed.
        source: where the context was uploaded to.
        dockerfile: path within the context.
        platform: `linux` or `linux/arm64`.
        target: stage of the Dockerfile; "" for the last.
        arguments: build arguments.
        seconds: how long it may take; 0 for as long as the settings allow.
        cache: whether layers may be taken from earlier lines.
    """

    images: tuple[str, ...]
    push: bool
    source: str
    dockerfile: str
    platform: str
    target: str
    arguments: tuple[Argument, ...]
    seconds: int
    cache: bool

    def names(self, run: str, hosts: Collection[str]) -> tuple[ImageName, ...]:
        """The names of the image of this run.

        Args:
            run: the run's id.
            hosts: names of this registry that may stand in front, in lower case.

        Raises:
            ArmError: one is no name, or one of another registry.
        """
        return tuple(dict.fromkeys(_image_name(text.replace(RUN_ID, run), hosts) for text in self.images))


def read_request(document: Mapping[str, Any]) -> BuildRequest:
    """Read the body of `scheduleRun`.

    Raises:
        ArmError: it asks for something else than a quick build, or is malformed; the message says what.
    """
    kind = needed_text(document, "type")
    if kind != KIND:
        raise ArmError(400, "OperationNotSupported", f"runs of the type {kind[:64]} are not offered: az acr build is")
    images = list_in(document, "imageNames")
    if len(images) > _NAMES_MAXIMUM or not all(isinstance(name, str) for name in images):
        raise _invalid(f"imageNames holds {len(images)} values: needs {_NAMES_MAXIMUM} texts at most")
    if objects_in(document, "credentials").get("customRegistries"):
        raise ArmError(400, "OperationNotSupported", "credentials of other registries are not taken: leave them out")
    push = flag_in(document, "isPushEnabled", default=True) and bool(images)
    return BuildRequest(
        images=tuple(images),
        push=push,
        source=_source(document),
        dockerfile=_dockerfile(text_in(document, "dockerFilePath", "Dockerfile")),
        platform=_platform(objects_in(document, "platform")),
        target=_plain(document, "target"),
        arguments=_arguments(list_in(document, "arguments")),
        seconds=number_in(document, "timeout"),
        cache=not flag_in(document, "noCache", default=False),
    )


def _source(document: Mapping[str, Any]) -> str:
    source = needed_text(document, "sourceLocation")
    if "://" in source or source.startswith("git@"):
        message = f"the context {source[:200]!r} is an address: give a folder of this machine, which az sends"
        raise ArmError(400, "OperationNotSupported", message)
    return source


def _dockerfile(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not text.isprintable() or not path.name or text.startswith("-"):
        raise _invalid(f"dockerFilePath {text[:200]!r} is no path within the context")
    return str(path)


def _platform(document: Mapping[str, Any]) -> str:
    system = text_in(document, "os", "linux").lower()
    parts = [system, text_in(document, "architecture", "amd64").lower(), text_in(document, "variant").lower()]
    if system != "linux":
        raise ArmError(400, "OperationNotSupported", f"images of {system[:32]!r} are not built here: linux is")
    if not all(_PLAIN.fullmatch(part) for part in parts if part):
        raise _invalid("platform is not of the form linux/amd64")
    return "/".join(part for part in parts if part)


def _arguments(items: list[Any]) -> tuple[Argument, ...]:
    if len(items) > _ARGUMENTS_MAXIMUM:
        raise _invalid(f"{len(items)} arguments are more than {_ARGUMENTS_MAXIMUM}")
    arguments = tuple(_argument(item) for item in items)
    count = len(lines_to_hide(each.value for each in arguments if each.secret))
    if count > _SECRET_LINES_MAXIMUM:  # each is looked for in everything that the build prints
        raise _invalid(f"the secret arguments have {count} lines: needs {_SECRET_LINES_MAXIMUM} at most")
    return arguments


def _argument(item: Any) -> Argument:
    if not isinstance(item, dict):
        raise _invalid("an argument is not an object")
    name, value = needed_text(item, "name"), text_in(item, "value")
    secret = flag_in(item, "isSecret", default=False)
    if not _ARGUMENT.fullmatch(name) or len(value) > _VALUE_MAXIMUM or "\0" in value:
        raise _invalid(f"argument {name[:64]!r} has no name of letters, digits and _, or a value that is too long")
    if secret and _BUILDERS_OWN.fullmatch(name):
        raise _invalid(f"a secret argument cannot be called {name}: the builder itself heeds that name")
    return Argument(name, value, secret)


def _plain(document: Mapping[str, Any], member: str) -> str:
    text = text_in(document, member)
    if text and (not _PLAIN.fullmatch(text) or text.startswith("-")):
        raise _invalid(f"{member} {text[:64]!r} is no name")
    return text


def _image_name(text: str, hosts: Collection[str]) -> ImageName:
    try:
        named = ImageReference.parse(text)
    except (BasegateError, OciError) as error:
        raise _invalid(f"image name {text[:200]!r}: {error}") from None
    if named.host and named.host.lower() not in hosts:
        raise _invalid(f"image name {text[:200]!r} is of the registry {named.host}: it can only be pushed to this one")
    if named.digest is not None:
        raise _invalid(f"image name {text[:200]!r} has a digest: the digest comes out of the build")
    return ImageName(named.repository, named.tag or Tag.parse("latest"))


def _invalid(message: str) -> ArmError:
    return ArmError(400, "InvalidRequestContent", message)
