"""Inference configurations as text: JSON or YAML, read strictly.

The ML command line reads YAML first and JSON second; both are valid. A key that stands twice is refused, since
readers would disagree on which image is meant.
"""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from registry.errors import BasegateError
from registry.oci.strict_json import first_twice

_DEEPEST = 64


class InferenceConfigUnreadable(BasegateError, ValueError):
    """The text is no inference configuration at all; the message says what was found and what is needed."""


class _StrictLoader(yaml.SafeLoader):
    """YAML without tags that make objects, aliases that multiply, or keys that stand twice; of bounded depth."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Count the nesting, so that a hostile file cannot exhaust the stack."""
        if self.check_event(yaml.AliasEvent):
            raise InferenceConfigUnreadable("an alias (*name) is not read here: write the value out")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise InferenceConfigUnreadable(f"nested deeper than {_DEEPEST} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Refuse a key that stands twice."""
        _refuse_twice([str(key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)])
        return super().construct_mapping(node, deep)


def parse(text: str) -> Mapping[str, Any]:
    """The document in a text.

    Raises:
        InferenceConfigUnreadable: neither JSON nor YAML, a key twice, nested too deep, or not an object.
    """
    document = _json(text) if text.lstrip("\ufeff \t\r\n").startswith("{") else _yaml(text)
    if not isinstance(document, Mapping):
        raise InferenceConfigUnreadable(f"found {type(document).__name__}: needs an object with keys such as baseImage")
    return document


def _json(text: str) -> Any:
    try:
        return json.loads(text.lstrip("\ufeff"), object_pairs_hook=_object)
    except json.JSONDecodeError:
        return _yaml(text)  # YAML's flow form looks like JSON, but allows comments and bare words
    except RecursionError:
        raise InferenceConfigUnreadable(f"nested deeper than {_DEEPEST} levels") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_twice([name for name, _ in pairs])
    return dict(pairs)


def _refuse_twice(names: list[str]) -> None:
    twice = first_twice(names)
    if twice is not None:
        raise InferenceConfigUnreadable(f"{twice[:80]!r} stands twice: keep one")


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, _StrictLoader)  # noqa: S506 - a SafeLoader, made stricter
    except InferenceConfigUnreadable:
        raise
    except yaml.YAMLError as error:
        raise InferenceConfigUnreadable(f"neither JSON nor YAML: {_one_line(error)}") from None
    except (TypeError, ValueError) as error:
        raise InferenceConfigUnreadable(f"neither JSON nor YAML: {error}") from None


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "unreadable"
    return f"{problem} (line {mark.line + 1})" if mark else str(problem)
