"""Rule `python-version`: the image's Python is of a named series, or of a minimum version."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from policy.inspection.facts import Fact, ImageFacts
from policy.rules.findings import Finding, Result, place_of
from policy.rules.rule import Rule, Series, because, version_of
from policy.rules.versions import VersionRefused, series_of

PATH_PYTHON = "python"
BASE_PYTHON = "base_python"
_SERIES = Field(min_length=1, description="the series that are accepted; no other one is")
_MINIMUM = Field(description="the oldest series that is accepted; every newer one is as well")
_OF = Field(description="which Python: path (the one that PATH reaches), base (of Conda's base environment), both")
_SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "path": (PATH_PYTHON,),
    "base": (BASE_PYTHON,),
    "both": (PATH_PYTHON, BASE_PYTHON),
}


class PythonVersion(Rule):
    """Give `series` (a set: 3.7 is not in 3.5, 3.6) or `minimum` (3.6 and everything after it)."""

    name: ClassVar[str] = "python-version"
    subject: ClassVar[str] = PATH_PYTHON
    thing: ClassVar[str] = "Python"
    programs: ClassVar[tuple[str, ...]] = ("python", "python3")

    series: Annotated[list[Series] | None, _SERIES] = None
    minimum: Annotated[Series | None, _MINIMUM] = None
    of: Annotated[Literal["path", "base", "both"], _OF] = "path"

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.series is None) == (self.minimum is None):
            raise ValueError("needs either series or minimum")
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The Pythons that must meet the rule."""
        return _SUBJECTS[self.of]

    @property
    def needs(self) -> str:
        """`3.5.x or 3.6.x`, or `3.6 or newer`."""
        if self.series is None:
            return f"{self.minimum} or newer"
        names = [f"{item}.x" for item in self.series]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"

    @property
    def wanted(self) -> tuple[str, ...]:
        """The series to install, the best first: the newest that is named, or the minimum."""
        return (self.minimum,) if self.minimum else tuple(sorted(self.series or [], key=series_of, reverse=True))

    @property
    def fix(self) -> str:
        """An installation into the base prefix."""
        return f"install Python {self.wanted[0]} and put its bin directory first on PATH"

    def named(self, subject: str) -> str:
        """`Python`, or `Python of Conda's base environment`."""
        return self.thing if subject == PATH_PYTHON else f"{self.thing} of Conda's base environment"

    def describe(self, fact: Fact) -> str:
        """`Python 3.6.8`."""
        text = f"{self.thing} {version_of(fact)}".strip()
        return text if fact.subject == PATH_PYTHON else f"{text} of Conda's base environment"

    def accepts(self, version: str) -> bool:
        """Whether a version meets the rule.

        Raises:
            VersionRefused: the text is not a version.
        """
        series = series_of(version)
        if self.minimum is not None:
            return series >= series_of(self.minimum)
        return series in {series_of(item) for item in self.series or []}

    def judge(self, fact: Fact) -> str:
        """Wrong when the version cannot be read or is not accepted."""
        try:
            accepted = self.accepts(fact.value.get("version", ""))
        except VersionRefused:
            return self.unreadable(fact)
        return "" if accepted else f"{self.describe(fact)}{place_of(fact)}{because(fact)}"

    def evaluate(self, facts: ImageFacts) -> tuple[Finding, ...]:
        """The findings on the judged facts, and a warning when PATH and Conda's base environment differ."""
        return (*super().evaluate(facts), *self._difference(facts))

    def _difference(self, facts: ImageFacts) -> tuple[Finding, ...]:
        reached, base = facts.judged(PATH_PYTHON), facts.judged(BASE_PYTHON)
        if not reached or not base or _same(reached, base):
            return ()
        one, other = reached[0], base[0]
        how = "is used" if "fallback" in one.value else "is what the image's PATH reaches"
        message = (
            f"{self.describe(one)}{place_of(one)} {how}, and {self.describe(other)}{place_of(other)} is another one"
        )
        return (Finding(self.name, Result.WARN, message, (*one.evidence, *other.evidence)),)


def _same(some: tuple[Fact, ...], others: tuple[Fact, ...]) -> bool:
    """Whether two lists of facts name the same programs, in versions that do not contradict each other."""
    if "fallback" not in some[0].value and not _places(some) & _places(others):
        return False
    return all(any(_agree(one, other) for other in others) for one in some)


def _places(facts: tuple[Fact, ...]) -> set[str]:
    """The prefixes, and the files that the versions were read from."""
    prefixes = {fact.value["prefix"] for fact in facts if "prefix" in fact.value}
    return prefixes | {f"{item.path} in {item.index}" for fact in facts for item in fact.evidence}


def _agree(one: Fact, other: Fact) -> bool:
    first, second = (f"{fact.value.get('version', '')}." for fact in (one, other))
    return first.startswith(second) or second.startswith(first)
