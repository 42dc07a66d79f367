"""Rule `python-version`: the Python of the base prefix belongs to one of the named series, or is new enough."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from policy.facts import Fact
from policy.rules.findings import place_of
from policy.rules.rule import Rule, Series, because
from policy.rules.versions import VersionRefused, series_of

_SERIES = Field(min_length=1, description="the series that are accepted; no other one is")
_MINIMUM = Field(description="the oldest series that is accepted; every newer one is as well")


class PythonVersion(Rule):
    """Give `series` (a set: 3.7 is not in 3.5, 3.6) or `minimum` (3.6 and everything after it)."""

    name: ClassVar[str] = "python-version"
    subject: ClassVar[str] = "python"
    thing: ClassVar[str] = "Python"

    series: Annotated[list[Series] | None, _SERIES] = None
    minimum: Annotated[Series | None, _MINIMUM] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.series is None) == (self.minimum is None):
            raise ValueError("needs either series or minimum")
        return self

    @property
    def needs(self) -> str:
        """`3.5.x or 3.6.x`, or `3.6 or newer`."""
        if self.series is None:
            return f"{self.minimum} or newer"
        names = [f"{item}.x" for item in self.series]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"

    @property
    def fix(self) -> str:
        """An installation into the base prefix."""
        wanted = self.minimum or max(self.series or [], key=series_of)
        return f"install Python {wanted} into Conda's base environment: RUN conda install -y python={wanted}"

    def describe(self, fact: Fact) -> str:
        """`Python 3.6.8`."""
        return f"Python {fact.value.get('version', '')}".strip()

    def judge(self, fact: Fact) -> str:
        """No readable version, or one outside what is accepted."""
        try:
            found = series_of(fact.value.get("version", ""))
        except VersionRefused:
            return self.unreadable(fact)
        if self.minimum is not None:
            accepted = found >= series_of(self.minimum)
        else:
            accepted = found in {series_of(item) for item in self.series or []}
        return "" if accepted else f"{self.describe(fact)}{place_of(fact)}{because(fact)}"
