"""A page of a list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """Some entries in order; `more`: whether others follow."""

    items: tuple[T_co, ...]
    more: bool
