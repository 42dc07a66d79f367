"""Documents made from the settings: an example file with every key, and a JSON schema."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from registry.config.group import is_marked_live
from registry.config.settings import RegistrySettings

_WIDTH = 110
_HEAD = """\
# Settings of basegate: `basegate serve --config THIS-FILE`. Leave out what you do not change.
# The environment overrides the file (BASEGATE_LOG__LEVEL=debug is log.level), flags override the environment.
# "live": takes effect when this file is saved or on SIGHUP; everything else when the server starts.
"""


def example(settings: RegistrySettings) -> str:
    """A YAML file with every setting, each under a comment that says what it is for; `RegistrySettings()`: defaults."""
    return _HEAD + "\n".join(_lines(settings, settings.model_dump(mode="json"), 0)) + "\n"


def schema(kind: type[RegistrySettings]) -> str:
    """The JSON schema of the settings file, for editors."""
    document = kind.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(_without_marks(document), indent=2, sort_keys=True) + "\n"


def _lines(group: BaseModel, plain: Mapping[str, Any], depth: int, *, live: bool = False) -> Iterator[str]:
    margin = "  " * depth
    for name, field in type(group).model_fields.items():
        value = getattr(group, name)
        text = field.description or (type(value).__doc__ or "").strip().partition("\n")[0]
        is_live = live or is_marked_live(field)
        if isinstance(value, BaseModel):
            yield from _comment(text, margin)
            yield f"{margin}{name}:"
            yield from _lines(value, plain[name], depth + 1, live=is_live)
        else:
            yield from _comment(f"{text} (live)" if is_live else text, margin)
            yield f"{margin}{name}: {_scalar(plain[name])}"


def _comment(text: str, margin: str) -> Iterator[str]:
    if not margin:
        yield ""
    yield from textwrap.wrap(text, _WIDTH, initial_indent=f"{margin}# ", subsequent_indent=f"{margin}# ")


def _scalar(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()


def _without_marks(document: Any) -> Any:
    """Turn the mark `live` into a keyword that JSON schema tools ignore."""
    if isinstance(document, dict):
        return {("x-live" if key == "live" else key): _without_marks(each) for key, each in document.items()}
    return [_without_marks(each) for each in document] if isinstance(document, list) else document
