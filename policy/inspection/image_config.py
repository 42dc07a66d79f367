"""The configuration of an image: operating system, diff_ids and PATH (image-spec config.md).

Go matches the names of members without regard to case, and every runtime is written in Go: so does this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.oci import shapes, strict_json

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ConfigUnreadable(ValueError):
    """The configuration does not say what a runtime needs; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What inspection needs of a configuration.

    Attributes:
        os: as written; "" when missing.
        architecture: as written; "" when missing.
        diff_ids: digests of the uncompressed layers, oldest first.
        path: the first PATH of the environment, or the default that runtimes use.
    """

    os: str
    architecture: str
    diff_ids: tuple[str, ...]
    path: str = DEFAULT_PATH

    @property
    def path_directories(self) -> tuple[str, ...]:
        """The absolute directories of PATH, in order, each once, without trailing slashes."""
        found = [part.rstrip("/") or "/" for part in self.path.split(":") if part.startswith("/")]
        return tuple(dict.fromkeys(found))


def parse_config(raw: bytes, variable_length: int) -> ImageConfig:
    """Read a configuration.

    Raises:
        ConfigUnreadable: not strict JSON, no list of diff_ids, an environment that is not a list of texts, or a
            variable with more than `variable_length` characters.
    """
    try:
        document = strict_json.loads(raw)
        strict_json.refuse_misspelt(document, shapes.CONFIGURATION)
    except strict_json.JsonRefused as error:
        raise ConfigUnreadable(f"the image's configuration is not readable: {error}") from None
    whole = _object(document, "the configuration")
    rootfs = _object(_member(whole, "rootfs"), "rootfs")
    diff_ids = _texts(_member(rootfs, "diff_ids"), "rootfs.diff_ids")
    env = _environment(_member(whole, "config"))
    if any(len(item) > variable_length for item in env):
        raise ConfigUnreadable(f"a variable of the image's environment is longer than {variable_length} characters")
    paths = [item[5:] for item in env if item.startswith("PATH=")]
    return ImageConfig(
        os=_text(_member(whole, "os"), "os"),
        architecture=_text(_member(whole, "architecture"), "architecture"),
        diff_ids=diff_ids,
        path=paths[0] if paths else DEFAULT_PATH,
    )


def _environment(started: Any) -> tuple[str, ...]:
    env = None if started is None else _member(_object(started, "config"), "env")
    return () if env is None else _texts(env, "config.Env")


def _member(document: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in document.items() if key.lower() == name), None)


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigUnreadable(f"the image's configuration is not readable: {where} is not an object")
    return value


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConfigUnreadable(f"the image's configuration is not readable: {where} is not a text")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigUnreadable(f"the image's configuration is not readable: {where} is not a list of texts")
    return tuple(value)
