"""Recognises files of other kinds, and images in members that are not read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from policy.gateway.inference_config.members import plain_name
from policy.gateway.inference_config.places import PLACES

_NAMES = frozenset({"image", "baseimage"})
_DEEPEST, _MOST = 12, 10_000
_Looks = Callable[[Mapping[str, Any]], bool]


def _has(*keys: str) -> _Looks:
    return lambda document: all(key in document for key in keys)


def _is_conda(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("dependencies"), list)


def _is_template(document: Mapping[str, Any]) -> bool:
    return "deploymentTemplate" in str(document.get("$schema", ""))


_KINDS: tuple[tuple[str, _Looks], ...] = (
    ("a deployment configuration (computeType), which goes with --dc", _has("computeType")),
    ("a conda file (dependencies), which condaFile names", _is_conda),
    ("a template of Azure Resource Manager ($schema)", _is_template),
    ("a Kubernetes manifest (apiVersion, kind)", _has("apiVersion", "kind")),
    ("a Compose file (services)", _has("services")),
    ("a workflow or pipeline (jobs)", _has("jobs")),
    ("a workflow or pipeline (stages)", _has("stages")),
    ("a workspace's config.json (workspace_name)", _has("workspace_name")),
)


def kind_of(document: Mapping[str, Any]) -> str:
    """The kind of a document that is not an inference configuration; "" if it may be one."""
    return next((kind for kind, looks_so in _KINDS if looks_so(document)), "")


def images_elsewhere(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Place and image of members that no form reads; at most three."""
    usual = {".".join(place) for place in PLACES}
    elsewhere = ((place, image) for place, image in _walk(document, "", 0, [_MOST]) if place not in usual)
    return [pair for pair, _ in zip(elsewhere, range(3), strict=False)]


def _walk(value: Any, place: str, depth: int, left: list[int]) -> Iterator[tuple[str, str]]:
    left[0] -= 1
    if depth > _DEEPEST or left[0] < 0:
        return
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _walk(each, f"{place}[{number}]", depth + 1, left)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            below = f"{place}.{key}" if place else str(key)
            if plain_name(key) in _NAMES and isinstance(each, str) and each:
                yield below, each
            yield from _walk(each, below, depth + 1, left)
