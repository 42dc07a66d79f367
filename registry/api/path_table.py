"""Looks up a path by its fixed words from the right, instead of by one pattern after another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from registry.oci.errors import NameInvalid
from registry.oci.names import RepositoryName

T = TypeVar("T")

_REPOSITORY = "/v2/{name:repository}"
_START = len("/v2/")


@dataclass(frozen=True, slots=True)
class _End(Generic[T]):
    """The part of a path after the repository's name: `words`, then a segment, fixed or named by `parameter`."""

    words: str
    parameter: str
    place: T


class Paths(Generic[T]):
    """Finds the paths of simple form; all others, and those with invalid names, are left to Starlette's router.

    Args:
        places: the value of each route path. Paths have no parameter, or are `/v2/{name:repository}/…` with at most one
            more parameter, at the end. Others are never found.
    """

    def __init__(self, places: Mapping[str, T]) -> None:
        self._whole = {path: place for path, place in places.items() if "{" not in path}
        self._ends: dict[tuple[str, str], _End[T]] = {}
        for path, place in places.items():
            if path.startswith(_REPOSITORY):
                words, _, last = path.removeprefix(_REPOSITORY).rpartition("/")
                parameter = last[1:-1] if last.startswith("{") else ""
                if "{" not in words:
                    self._ends[_word(words), "{}" if parameter else last] = _End(words, parameter, place)

    def find(self, path: str) -> tuple[T, dict[str, Any]] | None:
        """The value at the path, and the path parameters as the router gives them."""
        whole = self._whole.get(path)
        if whole is not None:
            return whole, {}
        before, _, last = path.rpartition("/")
        word = _word(before)
        end = self._ends.get((word, last)) or (self._ends.get((word, "{}")) if last else None)
        if end is None or not (before.startswith("/v2/") and before.endswith(end.words)):
            return None
        try:
            name = RepositoryName.parse(before[_START : -len(end.words)])
        except NameInvalid:
            return None
        return end.place, {"name": name, end.parameter: last} if end.parameter else {"name": name}


def _word(before: str) -> str:
    return before[before.rfind("/") + 1 :]
