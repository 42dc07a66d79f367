"""Pages of lists: a part of the entries, and whether more follow."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """Some entries in order; `more` says that others come behind the last of them."""

    items: tuple[T_co, ...]
    more: bool
