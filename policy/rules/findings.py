"""What a rule says of an image: findings, each with a sentence for a person and the evidence for a program."""

from dataclasses import dataclass
from enum import StrEnum

from policy.inspection.facts import Evidence, EvidenceState, Fact
from policy.rules.change import Change
from policy.rules.text_limits import PLACE_LIMIT, elided


class Result(StrEnum):
    """How a rule came out. `error` is not `fail`: the rule could not be evaluated, and nothing is cleared by it."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    WARN = "warn"
    ERROR = "error"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on one rule.

    Attributes:
        rule: the rule's word: `os-version`, `conda-version`, …; `inspection` when the image could not be read.
        result: pass, fail, warn, error or skip.
        message: what was found where, and what is needed.
        evidence: the places that prove it, or that were looked at in vain.
        fix: the nearest change that would make the rule pass; "" when none is needed or known.
        changes: the same for a program, and as lines of a Dockerfile.
    """

    rule: str
    result: Result
    message: str
    evidence: tuple[Evidence, ...] = ()
    fix: str = ""
    changes: tuple[Change, ...] = ()


def place_of(fact: Fact) -> str:
    """Where a fact was read: ` found at PATH (layer N)`, layers counted from 0 as in the manifest's list."""
    found = next((item for item in fact.evidence if item.state is EvidenceState.FOUND and item.index >= 0), None)
    return f" found at {elided(found.path, PLACE_LIMIT)} (layer {found.index})" if found else " found"


def is_none(lookalikes: tuple[Fact, ...], limit: int = 3) -> str:
    """What might be taken for the thing, as the next clause: `; micromamba at PATH (layer N) is none`."""
    if not lookalikes:
        return ""
    said = [f"{fact.value['lookalike']} at {place_of(fact).removeprefix(' found at ')}" for fact in lookalikes[:limit]]
    more = f" and {len(lookalikes) - limit} more" if len(lookalikes) > limit else ""
    return f"; {', '.join(said)}{more} {'is' if len(lookalikes) == 1 else 'are'} none"


def looked_at(absent: tuple[Evidence, ...], nothing: str, limit: int = 6) -> str:
    """The places looked at in vain, as `looked at A, B and 3 more`; `nothing` when no place is known."""
    places = list(dict.fromkeys(item.path for item in absent))
    if not places:
        return nothing
    more = f" and {len(places) - limit} more" if len(places) > limit else ""
    return f"looked at {', '.join(elided(place, PLACE_LIMIT) for place in places[:limit])}{more}"
