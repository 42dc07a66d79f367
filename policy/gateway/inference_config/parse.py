"""Parses inference configurations: JSON or YAML, strictly.

The ML command line tries YAML first, then JSON; both are valid. A duplicate key is refused, since readers would
disagree on the image.
"""

import json
from collections.abc import Mapping
from typing import Any

from policy.gateway.inference_config.placeholders import first_line_with_one
from registry.errors import BasegateError
from registry.oci.kinds import kind_of
from registry.oci.strict_json import JsonRefused, first_twice, is_deeper, refuse_half_characters
from registry.oci.strict_yaml import BARE, DEEPEST, YamlRefused, load

YAML_BYTES = 65_536
_BEGINNING = 4096
_TOO_DEEP = f"nested deeper than {DEEPEST} levels"


class InferenceConfigUnreadable(BasegateError, ValueError):
    """The text is not an inference configuration; the message says what was found and what is needed."""


def parse(text: str, yaml_bytes: int = YAML_BYTES) -> Mapping[str, Any]:
    """Parse a text.

    Args:
        text: JSON or YAML.
        yaml_bytes: characters of the longest YAML that is read.

    Raises:
        InferenceConfigUnreadable: neither JSON nor YAML, too long, a duplicate key, nested too deep, or not an object.
    """
    begins = text[:_BEGINNING].lstrip("\ufeff \t\r\n")
    document = _json(text, yaml_bytes) if begins.startswith("{") else _yaml(text, yaml_bytes)
    if not isinstance(document, Mapping):
        raise InferenceConfigUnreadable(f"found {kind_of(document)}: needs an object with keys such as baseImage")
    return document


def _json(text: str, yaml_bytes: int) -> Any:
    try:
        document = json.loads(
            text.lstrip("\ufeff"), object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction
        )
    except json.JSONDecodeError as error:
        if len(text) > yaml_bytes:
            raise InferenceConfigUnreadable(f"not JSON: {error}; YAML is read up to {yaml_bytes} bytes") from None
        return _yaml(text, yaml_bytes)  # YAML's flow style looks like JSON, but allows comments and bare words
    except RecursionError:
        raise InferenceConfigUnreadable(_TOO_DEEP) from None
    _require_sound(text.encode("utf-8", "surrogatepass"), document)
    return document


def _require_sound(raw: bytes, document: Any) -> None:
    """What is read of it later walks it level by level, and says it again as UTF-8."""
    if is_deeper(raw, DEEPEST):
        raise InferenceConfigUnreadable(_TOO_DEEP)
    try:
        refuse_half_characters(raw, document)
    except JsonRefused as error:
        raise InferenceConfigUnreadable(str(error)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = first_twice(name for name, _ in pairs)
    if twice is not None:
        raise InferenceConfigUnreadable(f"{twice[:80]!r} stands twice: keep one")
    return dict(pairs)


def _integer(digits: str) -> int:
    return int(_bounded(digits))


def _fraction(digits: str) -> float:
    return float(_bounded(digits))


def _bounded(digits: str) -> str:
    if len(digits) > BARE:
        raise InferenceConfigUnreadable(f"a number has more than {BARE} characters")
    return digits


def _yaml(text: str, yaml_bytes: int) -> Any:
    if len(text) > yaml_bytes:
        raise InferenceConfigUnreadable(f"{len(text)} characters: YAML is read up to {yaml_bytes} bytes, JSON further")
    try:
        return load(text)
    except YamlRefused as error:
        filled = first_line_with_one(text)
        if filled is not None:
            place = f"line {filled[0]} has the placeholder {filled[1]}"
            raise InferenceConfigUnreadable(f"{place}: fill in the template first ({error})") from None
        raise InferenceConfigUnreadable(f"neither JSON nor YAML: {error}") from None
