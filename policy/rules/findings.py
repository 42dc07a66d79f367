"""Findings: the results of rules, each with a sentence for a person and evidence for a program."""

from dataclasses import dataclass
from enum import StrEnum

from policy.inspection.facts import Evidence, EvidenceState, Fact
from policy.rules.change import Change
from policy.rules.text_limits import PLACE_LIMIT, elided


class Result(StrEnum):
    """The result of a rule. `error` means that the rule could not be evaluated; it never clears an image."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    WARN = "warn"
    ERROR = "error"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on one rule.

    Attributes:
        rule: the rule's name: `os-version`, `conda-version`, …; `inspection` when the image could not be read.
        result: pass, fail, warn, error or skip.
        message: what was found where, and what is needed.
        evidence: the places that prove it, or that were searched without success.
        fix: the nearest change that would make the rule pass; "" when none is needed or known.
        changes: the fix as data and as lines of a Dockerfile.
    """

    rule: str
    result: Result
    message: str
    evidence: tuple[Evidence, ...] = ()
    fix: str = ""
    changes: tuple[Change, ...] = ()


def place_of(fact: Fact) -> str:
    """Where a fact was read: ` found at PATH (layer N)`; N is the layer's index in the manifest, from 0."""
    source = next((item for item in fact.evidence if item.state is EvidenceState.FOUND and item.index >= 0), None)
    return f" found at {elided(source.path, PLACE_LIMIT)} (layer {source.index})" if source else " found"


def lookalike_clause(lookalikes: tuple[Fact, ...], limit: int = 3) -> str:
    """Programs that only look like the component, as a clause: `; micromamba at PATH (layer N) is none`."""
    if not lookalikes:
        return ""
    names = [f"{fact.value['lookalike']} at {place_of(fact).removeprefix(' found at ')}" for fact in lookalikes[:limit]]
    rest = f" and {len(lookalikes) - limit} more" if len(lookalikes) > limit else ""
    return f"; {', '.join(names)}{rest} {'is' if len(lookalikes) == 1 else 'are'} none"


def searched_places(absent: tuple[Evidence, ...], nothing: str, limit: int = 6) -> str:
    """The places searched without success: `looked at A, B and 3 more`; `nothing` when there is no list of them."""
    places = list(dict.fromkeys(item.path for item in absent))
    if not places:
        return nothing
    rest = f" and {len(places) - limit} more" if len(places) > limit else ""
    return f"looked at {', '.join(elided(place, PLACE_LIMIT) for place in places[:limit])}{rest}"
