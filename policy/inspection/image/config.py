"""The configuration of an image: operating system, diff_ids, User, WorkingDir and PATH.

Source: image-spec config.md. Members are read as Go's decoders do: `null` means absent, a wrong type is an error. A
known name in another case is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.oci import shapes, strict_json

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_COMMANDS = ("Entrypoint", "Cmd", "Shell")
_MAPS = ("Volumes", "ExposedPorts", "Labels")
_FUNCTION = "BASH_FUNC_"


class ConfigUnreadable(ValueError):
    """The configuration lacks what a runtime needs; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The members of a configuration that an inspection needs.

    Attributes:
        os: as written; "" when missing.
        architecture: as written; "" when missing.
        diff_ids: digests of the uncompressed layers, oldest first.
        path: the last PATH of the environment, or the default of runtimes.
        user: the user of the image's programs; "" for root.
        working_dir: their working directory; "" for `/`.
        volumes: paths of the image's volumes.
        disputed: why runtimes disagree on the environment; "" when they agree.
        has_path: whether the environment sets PATH.
    """

    os: str
    architecture: str
    diff_ids: tuple[str, ...]
    path: str = DEFAULT_PATH
    user: str = ""
    working_dir: str = ""
    volumes: tuple[str, ...] = ()
    disputed: str = ""
    has_path: bool = False

    @property
    def path_entries(self) -> tuple[bytes, ...]:
        """The directories of PATH as written, in order, each once; an empty one is the working directory."""
        return tuple(dict.fromkeys(part.encode("utf-8", "surrogateescape") for part in self.path.split(":")))


def parse_config(raw: bytes, variable_length: int) -> ImageConfig:
    """Read a configuration.

    Raises:
        ConfigUnreadable: not strict JSON, no list of diff_ids, a member of a type that Go's decoders refuse, or a
            variable with more than `variable_length` characters.
    """
    try:
        document = strict_json.loads(raw)
        strict_json.refuse_misspelt(document, shapes.CONFIGURATION)
    except strict_json.JsonRefused as error:
        raise ConfigUnreadable(f"the image's configuration is not readable: {error}") from None
    whole = _object(document, "the configuration")
    rootfs = _object(whole.get("rootfs"), "rootfs")
    diff_ids = _texts(rootfs.get("diff_ids"), "rootfs.diff_ids")
    started = {} if whole.get("config") is None else _object(whole["config"], "config")
    _refuse_other_types(started)
    env = () if started.get("Env") is None else _texts(started["Env"], "config.Env")
    if any(len(item) > variable_length for item in env):
        raise ConfigUnreadable(f"a variable of the image's environment is longer than {variable_length} characters")
    paths = [item[5:] for item in env if item.startswith("PATH=")]
    return ImageConfig(
        os=_text(whole, "os", "os"),
        architecture=_text(whole, "architecture", "architecture"),
        diff_ids=diff_ids,
        path=paths[-1] if paths else DEFAULT_PATH,
        user=_text(started, "User", "config.User"),
        working_dir=_text(started, "WorkingDir", "config.WorkingDir"),
        volumes=tuple(started.get("Volumes") or ()),
        disputed=_disputed(env),
        has_path=bool(paths),
    )


def _disputed(env: tuple[str, ...]) -> str:
    if "PATH" in env:
        return "the environment has PATH without a value: docker and containerd unset it, podman takes the host's"
    function = next((item for item in env if item.startswith(_FUNCTION)), "")
    if function:
        name = function.partition("=")[0]
        return (
            f"the environment has the function {name[:80]!r}: whether it takes a command's place depends on the shell"
        )
    return ""


def _refuse_other_types(started: Mapping[str, Any]) -> None:
    """Refuse wrong types of members that are not used here: no runtime could read the configuration."""
    for name in _COMMANDS:
        value = started.get(name)
        if value is not None and not isinstance(value, str):
            _texts(value, f"config.{name}")
    for name in _MAPS:
        if started.get(name) is not None:
            _object(started[name], f"config.{name}")


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigUnreadable(f"the image's configuration is not readable: {where} is not an object")
    return value


def _text(document: Mapping[str, Any], name: str, where: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value:
        raise ConfigUnreadable(f"the image's configuration is not readable: {where} is not a text")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    """A list of texts; `null` in it is an empty text, as Go decodes it."""
    items = ["" if item is None else item for item in value] if isinstance(value, list) else [value]
    if not isinstance(value, list) or not all(isinstance(item, str) and "\0" not in item for item in items):
        raise ConfigUnreadable(f"the image's configuration is not readable: {where} is not a list of texts")
    return tuple(items)
