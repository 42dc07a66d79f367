"""What basegate says of an image: its state, the facts it tells, and where programs are that PATH does not reach."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.runtime.question import Aside, Facts

CLEARED = "cleared"
REFUSED = "refused"
INCONCLUSIVE = "inconclusive"
NOT_APPLICABLE = "not-applicable"
NOT_TAKEN = "not taken"
WITHHELD = (REFUSED, INCONCLUSIVE)


@dataclass(frozen=True)
class Ruling:
    """What basegate says of one image.

    Attributes:
        state: the verdict, or `not taken` when the push was refused.
        facts: what it tells.
        aside: what to ask beside PATH.
        reasons: messages of its findings.
    """

    state: str
    facts: Facts = field(default_factory=Facts)
    aside: Aside = field(default_factory=Aside)
    reasons: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Ruling":
        """The ruling in an explanation."""
        judged = [fact for fact in (document["image"] or {"facts": []})["facts"] if fact["judged"]]
        reasons = tuple(item["message"] for item in document["findings"] if item["result"] != "pass")
        return cls(document["verdict"], _facts(document["facts"], judged), _aside(judged), reasons)

    def __str__(self) -> str:
        return f"{self.state} {self.facts}" + "".join(f"\n    {reason}" for reason in self.reasons)


def _facts(told: Mapping[str, Mapping[str, str | None] | None], judged: list[Mapping[str, Any]]) -> Facts:
    system, conda, python = (told.get(name) or {} for name in ("os", "conda", "python"))
    name = f"{system.get('id') or ''} {system.get('version') or ''}".strip()
    return Facts(name, conda.get("version") or "", _agreed(python.get("version") or "", judged))


def _agreed(version: str, judged: list[Mapping[str, Any]]) -> str:
    """The version of the judged Python, or what its records have in common: `3.6` of 3.6.5 and 3.6.8."""
    found = {fact["value"].get("version", "") for fact in judged if fact["subject"] == "python"}
    series = {item.rpartition(".")[0] for item in found}
    return series.pop() if len(found) > 1 and len(series) == 1 else version


def _aside(judged: list[Mapping[str, Any]]) -> Aside:
    condas = [f"{fact['value']['prefix']}/bin/conda" for fact in judged if _has_prefix(fact, "conda")]
    pythons = [path for fact in judged if fact["subject"] == "python" for path in _programs(fact)]
    systems = [f"/{item['path']}" for fact in judged if fact["subject"] == "os" for item in fact["evidence"]]
    return Aside(tuple(dict.fromkeys(condas)), tuple(dict.fromkeys(pythons)), systems[0] if systems else "")


def _has_prefix(fact: Mapping[str, Any], subject: str) -> bool:
    return bool(fact["subject"] == subject and fact["value"].get("prefix"))


def _programs(fact: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"/{item['path']}" for item in fact["evidence"] if "/bin/" in f"/{item['path']}")
    if _has_prefix(fact, "python"):
        yield f"{fact['value']['prefix']}/bin/python"
