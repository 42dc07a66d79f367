"""Strict YAML, built from the parser's events: no duplicate keys, and time linear in the length of the text.

Nothing is built that the text does not contain: no objects of tags, no copies of aliases, no numbers of a thousand
digits (YAML 1.1 has base 60, and a long number takes minutes to convert).
"""

from collections.abc import Iterator
from typing import Any

import yaml

from registry.errors import BasegateError
from registry.oci.strict_json import first_twice

DEEPEST = 64
BARE = 64
"""Characters of the longest bare word that may be a number, a date or a truth value."""
_CORE = "tag:yaml.org,2002:"
_BARE_KINDS = frozenset(_CORE + kind for kind in ("int", "float", "bool", "null", "timestamp"))
_PARSER = getattr(yaml, "CLoader", yaml.SafeLoader)


class YamlRefused(BasegateError, ValueError):
    """The text is not YAML, or contains something unsupported; the message says what and where."""


def load(text: str | bytes, *, aliases: bool = False) -> Any:
    """The single document of a text; `None` for an empty text.

    Args:
        text: the YAML; as bytes in UTF-8 or UTF-16.
        aliases: whether to accept `*name` and `<<`: only in files whose authors would harm only themselves.

    Raises:
        YamlRefused: no YAML, more than one document, an alias, a tag, a merge, a key twice, nested too deep.
    """
    try:
        return _Reading(text, aliases=aliases).document()
    except yaml.YAMLError as error:
        raise YamlRefused(_one_line(error)) from None


class _Reading:
    def __init__(self, text: str | bytes, *, aliases: bool) -> None:
        self._anchors: dict[str, Any] | None = {} if aliases else None
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_PARSER)
        self._bare = yaml.SafeLoader("")  # knows what bare words mean

    def document(self) -> Any:
        """Read to the end of the text."""
        next(self._events)  # the stream begins
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        value = self._value(next(self._events), 1)
        next(self._events)  # the document ends
        behind = next(self._events)
        if not isinstance(behind, yaml.StreamEndEvent):
            raise YamlRefused(f"a second document begins{_where(behind)}: keep one")
        return value

    def _value(self, event: yaml.Event, depth: int) -> Any:
        if depth > DEEPEST:
            raise YamlRefused(f"nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        value = self._construct(event, depth)
        name = getattr(event, "anchor", None)
        if self._anchors is not None and name is not None:
            self._anchors[name] = value
        return value

    def _construct(self, event: yaml.Event, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        _refuse_tag(event, {"seq", "map"})
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(each, depth + 1) for each in self._until(yaml.SequenceEndEvent)]
        return self._mapping(depth)

    def _alias(self, event: yaml.AliasEvent) -> Any:
        if self._anchors is None:
            raise YamlRefused("an alias (*name) is not read here: write the value out")
        name = event.anchor or ""
        if name not in self._anchors:
            raise YamlRefused(f"{name[:80]!r} names nothing that came before{_where(event)}")
        return self._anchors[name]

    def _mapping(self, depth: int) -> dict[Any, Any]:
        pairs: list[tuple[Any, Any]] = []
        merged: dict[Any, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise YamlRefused(f"a key is no word{_where(event)}")
            if event.value == "<<" and event.implicit[0]:
                merged = self._merged(event, depth) | merged
                continue
            pairs.append((self._scalar(event), self._value(next(self._events), depth + 1)))
        twice = first_twice(str(key) for key, _ in pairs)
        if twice is not None:
            raise YamlRefused(f"{twice[:80]!r} stands twice: keep one")
        return merged | dict(pairs)

    def _merged(self, event: yaml.ScalarEvent, depth: int) -> dict[Any, Any]:
        """The members of merged mappings; the first mapping with a member counts."""
        if self._anchors is None:
            raise YamlRefused("a merge (<<) is not read here: write the members out")
        value = self._value(next(self._events), depth + 1)
        members: dict[Any, Any] = {}
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, dict):
                raise YamlRefused(f"a merge (<<) of what has no members{_where(event)}")
            members = each | members
        return members

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        _refuse_tag(event, {"str", "int", "float", "bool", "null"})
        if event.tag is None and not event.implicit[0]:
            return event.value  # quoted, or a block
        tag = event.tag or self._kind(event.value[: BARE + 1])
        if tag not in _BARE_KINDS:
            return event.value
        if len(event.value) > BARE:
            if event.tag is None:
                return event.value
            raise YamlRefused(f"a value of more than {BARE} characters is no {tag.removeprefix(_CORE)}{_where(event)}")
        try:
            return self._bare.construct_object(yaml.ScalarNode(tag, event.value))
        except (ValueError, KeyError, TypeError):
            raise YamlRefused(f"{event.value!r} is no {tag.removeprefix(_CORE)}{_where(event)}") from None

    def _kind(self, word: str) -> str:
        tag: str = self._bare.resolve(yaml.ScalarNode, word, (True, False))  # type: ignore[no-untyped-call]
        return tag


def _refuse_tag(event: yaml.Event, allowed: set[str]) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None and tag != "!" and tag.removeprefix(_CORE) not in allowed:
        raise YamlRefused(f"the tag {tag[:80]!r} is not read here{_where(event)}")


def _where(event: yaml.Event) -> str:
    mark = event.start_mark
    return f" (line {mark.line + 1})" if mark else ""


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "unreadable"
    return f"{problem} (line {mark.line + 1})" if mark else str(problem)
