"""Tallies: how many of the images that somebody may see have each verdict, system, Conda and Python."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from policy.search.candidates import Match
from policy.state import State

_SHOWN = 6
_BEGINNING = re.compile(r"([0-9]+\.[0-9]+)\.")
_STATES = (State.CLEARED, State.REFUSED, State.INCONCLUSIVE, State.PENDING)


@dataclass(frozen=True, slots=True)
class Share:
    """Some images: what they are called, the conditions that find them, and how many they are."""

    name: str
    conditions: str
    count: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted.

    Attributes:
        images: how many images were looked at.
        more: whether there are others, which were not: they are the first in the order of digests, which is by chance.
        shares: by fact (`verdict`, `os`, `conda`, `python`): all verdicts, and of the others what most images have.
    """

    images: int
    more: bool
    shares: Mapping[str, Sequence[Share]]


def tally_of(matches: Sequence[Match], *, more: bool) -> Tally:
    """Count images."""
    states = Counter(each.state for each in matches)
    shares: dict[str, list[Share]] = {
        "verdict": [Share(state.value, f"verdict={state.value}", states[state]) for state in _STATES],
        "os": _most(system for each in matches for system in _systems(each)),
        "conda": _most(share for each in matches for share in _beginnings("conda", each)),
        "python": _most(share for each in matches for share in _beginnings("python", each)),
    }
    return Tally(len(matches), more, shares)


def _most(named: Iterable[tuple[str, str]]) -> list[Share]:
    """Those that most images have, in the order of their names."""
    counted = Counter(named).most_common(_SHOWN)
    return [Share(name, conditions, count) for (name, conditions), count in sorted(counted)]


def _systems(match: Match) -> set[tuple[str, str]]:
    """One at most: of an index of several systems no pair can be told."""
    names, versions = match.facts.get("os.name", ()), match.facts.get("os.version", ())
    if len(names) != 1 or len(versions) != 1:
        return set()
    name, version = names[0], versions[0]
    if not (_is_plain(name) and _is_plain(version)):
        return set()
    return {(f"{name.capitalize()} {version}", f"os.name={name} os.version={version}")}


def _beginnings(fact: str, match: Match) -> set[tuple[str, str]]:
    found = {begun[1] for value in match.facts.get(fact, ()) if (begun := _BEGINNING.match(value))}
    return {(beginning, f"{fact}~{beginning}.*") for beginning in found}


def _is_plain(value: str) -> bool:
    """Whether it stands in a condition as it is."""
    return re.fullmatch(r"[A-Za-z0-9._+-]{1,40}", value) is not None
