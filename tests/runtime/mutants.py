"""Faults put into the inspection on purpose, to see that the runtimes find them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from policy.inspection.archive import names
from policy.inspection.image import config
from policy.inspection.layer.tree import LayerTree

_INFIX = b".wh..wh."


def first_path_is_read(patch: pytest.MonkeyPatch) -> None:
    """The first PATH of the environment instead of the last."""
    parse = config.parse_config

    def read(raw: bytes, variable_length: int) -> Any:
        found = re.findall(rb'"PATH=[^"]*"', raw)
        return parse(raw.replace(found[-1], found[0]) if len(found) > 1 else raw, variable_length)

    patch.setattr("policy.inspection.image.compose.parse_config", read)


def infix_is_ignored(patch: pytest.MonkeyPatch) -> None:
    """Members with a whiteout's infix anywhere in their names are passed over."""
    cleaned = names.cleaned

    def passed_over(name: bytes) -> bytes:
        found = cleaned(name)
        return b".wh..wh.nobody" if _INFIX in found and not found.endswith(b"opq") else found

    patch.setattr("policy.inspection.layer.scan.cleaned", passed_over)


def link_mode_is_ignored(patch: pytest.MonkeyPatch) -> None:
    """A hard link does not give its mode to the file."""
    patch.setattr(LayerTree, "_share", lambda *_: None)


MUTANTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "the first PATH is read": first_path_is_read,
    "names with a whiteout's infix are ignored": infix_is_ignored,
    "the mode of a hard link is ignored": link_mode_is_ignored,
}


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """The inspection with one fault."""
    with pytest.MonkeyPatch.context() as patch:
        MUTANTS[name](patch)
        yield
