"""The settings as documents: an example file with every key, its meaning and default; and a JSON schema."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import yaml
from pydantic import BaseModel

from registry.settings import RegistrySettings

_WIDTH = 110
_HEAD = """\
# Settings of basegate, all with their defaults: `basegate serve --config THIS-FILE`. Leave out what you do not change.
# The environment overrides the file (BASEGATE_LOG__LEVEL=debug is log.level), flags override the environment.
# "live": takes effect when this file is saved or on SIGHUP; everything else when the server starts.
"""


def example(kind: type[RegistrySettings]) -> str:
    """A YAML file with every setting at its default, each under a comment that says what it is for."""
    return _HEAD + "\n".join(_lines(kind(), 0)) + "\n"


def schema(kind: type[RegistrySettings]) -> str:
    """The JSON schema of the settings file, for editors."""
    document = kind.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(_without_marks(document), indent=2, sort_keys=True) + "\n"


def _lines(group: BaseModel, depth: int) -> Iterator[str]:
    margin = "  " * depth
    for name, field in type(group).model_fields.items():
        value = getattr(group, name)
        yield from _comment(field.description or (type(value).__doc__ or "").strip().partition("\n")[0], field, margin)
        if isinstance(value, BaseModel):
            yield f"{margin}{name}:"
            yield from _lines(value, depth + 1)
        else:
            yield f"{margin}{name}: {_scalar(value)}"


def _comment(text: str, field: Any, margin: str) -> Iterator[str]:
    if not margin:
        yield ""
    extra = field.json_schema_extra
    live = " (live)" if isinstance(extra, dict) and extra.get("live") else ""
    yield from textwrap.wrap(f"{text}{live}", _WIDTH, initial_indent=f"{margin}# ", subsequent_indent=f"{margin}# ")


def _scalar(value: Any) -> str:
    return yaml.safe_dump(_plain(value), default_flow_style=True, width=10_000).removesuffix("...\n").strip()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return str(value) if isinstance(value, PurePath) else value


def _without_marks(document: Any) -> Any:
    """`live` becomes a word that JSON schema tools know nothing of and may ignore."""
    if isinstance(document, dict):
        return {("x-live" if key == "live" else key): _without_marks(each) for key, each in document.items()}
    return [_without_marks(each) for each in document] if isinstance(document, list) else document
