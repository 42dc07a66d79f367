"""The sources of settings, in rising precedence: defaults, the YAML file, the environment `BASEGATE_*`, flags.

`BASEGATE_LOG__LEVEL=debug` is the file's `log: {level: debug}`: two underscores separate groups. Lists and groups are
written as JSON or YAML, lists of words also with commas.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from registry.config.settings import RegistrySettings
from registry.config.wrong_values import needed
from registry.errors import BasegateError
from registry.oci.kinds import kind_of
from registry.oci.strict_yaml import YamlRefused
from registry.oci.strict_yaml import load as load_yaml

S = TypeVar("S", bound=RegistrySettings)

PREFIX = "BASEGATE_"
# Read by the commands themselves: the settings file, and defaults of other flags.
NOT_SETTINGS = frozenset(
    {"CONFIG", "BOOTSTRAP_FILE", "USERNAME", "PASSWORD", "CA_FILE", "PLAIN_HTTP", "QUIET", "ENDPOINT"}
)
# The flag `--gateway` is HOST:PORT; the settings' group of this name is a mapping.
_FLAG_OR_GROUP = frozenset({"GATEWAY"})
_PLAIN = re.compile(r"[\w.*/-]+")
# Name and password of a URL, which are told to nobody.
_IN_URL = re.compile(r"(?<=://)\S*@")


class SettingsError(BasegateError):
    """The settings cannot be used; the message is one line: the key, its value and what is needed."""


def load(kind: type[S], file: Path | None, flags: Mapping[str, Any], environment: Mapping[str, str]) -> S:
    """Merge all sources.

    Args:
        kind: the settings class; an extension may have a subclass with more groups.
        file: the YAML file, or `None`; it must exist.
        flags: dotted keys to values, `None` for a flag that was not given.
        environment: usually `os.environ`; names without the prefix `BASEGATE_` are ignored.

    Raises:
        SettingsError: a source is wrong.
    """
    document: dict[str, Any] = {}
    if file is not None:
        _merge(document, _from_file(file, kind))
    for key, value in _from_environment(environment):
        _check_keys(kind, _nest(key, None), f"environment variable {PREFIX}{key.upper().replace('.', '__')}")
        _merge(document, _nest(key, value))
    for key, value in flags.items():
        if value is not None:
            _merge(document, _nest(key, value))
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise SettingsError(_describe(error, file)) from None


def _from_file(file: Path, kind: type[BaseModel]) -> dict[str, Any]:
    try:
        document = load_yaml(file.read_bytes(), aliases=True)
    except OSError as error:
        raise SettingsError(f"settings file {file} cannot be read: {error.strerror}") from None
    except YamlRefused as error:
        raise SettingsError(f"settings file {file} is not YAML: {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise SettingsError(f"settings file {file} holds {kind_of(document)}: needs keys and values")
    _check_keys(kind, document, f"settings file {file}")
    return {key: value for key, value in document.items() if value is not None}


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name in sorted(environment):
        key = name.removeprefix(PREFIX)
        if key != name and key not in NOT_SETTINGS:
            text = environment[name]
            if key in _FLAG_OR_GROUP and text[:1] != "{":
                continue
            yield key.lower().replace("__", "."), _structured(name, text) if text[:1] in {"[", "{"} else text


def _structured(name: str, text: str) -> Any:
    try:
        return load_yaml(text)
    except YamlRefused as error:
        raise SettingsError(f"environment variable {name} is neither JSON nor YAML: {error}") from None


def _check_keys(kind: type[BaseModel], document: Mapping[str, Any], where: str, path: str = "") -> None:
    """Refuse unknown keys; the message names the nearest known key."""
    for key, value in document.items():
        field = kind.model_fields.get(str(key))
        if field is None:
            near = difflib.get_close_matches(str(key), kind.model_fields, 1)
            hint = f": did you mean {path}{near[0]}?" if near else f": known here are {', '.join(kind.model_fields)}"
            raise SettingsError(f"{where}: there is no setting {path}{key}{hint}")
        group = field.annotation
        if isinstance(value, dict) and isinstance(group, type) and issubclass(group, BaseModel):
            _check_keys(group, value, where, f"{path}{key}.")


def _nest(key: str, value: Any) -> dict[str, Any]:
    """`a.b`, 1 -> `{"a": {"b": 1}}`."""
    first, _, rest = key.partition(".")
    return {first: _nest(rest, value) if rest else value}


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _describe(error: ValidationError, file: Path | None) -> str:
    first, *others = error.errors(include_url=False)
    # pydantic adds the names of its own validators to a place.
    key = ".".join(str(part) for part in first["loc"] if _PLAIN.fullmatch(str(part))) or "settings"
    given = _given(first["input"])
    others_too = f" (and {len(others)} more)" if others else ""
    where = f" [file {file}, environment {PREFIX}* or flags]" if file else f" [environment {PREFIX}* or flags]"
    return f"setting {key}{given}: {needed(first)}{others_too}{where}"


def _given(value: Any) -> str:
    if isinstance(value, dict):
        return ""
    return f" is {kind_of(value)}" if value is None else f" is {_IN_URL.sub('…@', str(value))[:80]!r}"
