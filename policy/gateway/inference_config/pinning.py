"""Pins a configuration: the same document, with its image by digest instead of by a movable tag."""

from collections.abc import Mapping, Sequence
from typing import Any

from policy.gateway.inference_config.interpret import Form, InferenceConfig
from policy.gateway.inference_config.members import known_members
from policy.gateway.inference_config.places import named_in


def pin(document: Mapping[str, Any], config: InferenceConfig, pinned: str) -> dict[str, Any]:
    """The document with the pinned reference in every place that names the image; if none does, in the usual one."""
    places = [place for place, _ in named_in(known_members(document))] or [_usual_place(document, config.form)]
    changed = dict(document)
    for place in places:
        changed = _with(changed, place, pinned)
    return changed


def _usual_place(document: Mapping[str, Any], form: Form) -> tuple[str, ...]:
    if form is Form.PLAIN:
        return ("baseImage",)
    inside = ("environment",) if isinstance(document.get("environment"), Mapping) else ()
    return (*inside, "image") if form is Form.VERSION_2 else (*inside, "docker", "baseImage")


def _with(document: Mapping[str, Any], place: Sequence[str], value: str) -> dict[str, Any]:
    first, *rest = place
    if not rest:
        return {**document, first: value}
    below = document.get(first)
    return {**document, first: _with(below if isinstance(below, Mapping) else {}, rest, value)}
