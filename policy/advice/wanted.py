"""The combined requirements of a policy's rules on Conda and Python."""

from collections.abc import Iterable
from dataclasses import dataclass

from policy.advice.releases import LATER_SERIES, NEWEST_CONDA, in_order
from policy.inspection.facts import Fact
from policy.rules import Rule
from policy.rules.conda_version import CondaVersion
from policy.rules.python_version import PythonVersion
from policy.rules.versions import VersionRefused, compare_conda


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rules on Conda and on Python, those that only warn included."""

    conda: tuple[CondaVersion, ...]
    python: tuple[PythonVersion, ...]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "Wanted":
        """Pick them from a policy's rules."""
        every = tuple(rules)
        return cls(
            tuple(rule for rule in every if isinstance(rule, CondaVersion)),
            tuple(rule for rule in every if isinstance(rule, PythonVersion)),
        )

    @property
    def minimum(self) -> str:
        """The oldest Conda that meets every rule; "" without a rule."""
        newest = ""
        for rule in self.conda:
            newest = rule.minimum if not newest or compare_conda(rule.minimum, newest) > 0 else newest
        return newest

    @property
    def subjects(self) -> tuple[str, ...]:
        """The Pythons that are judged."""
        return tuple(dict.fromkeys(subject for rule in self.python for subject in rule.subjects))

    @property
    def series(self) -> list[str]:
        """Series of Python to install, the best first: each meets every rule, and so does a Conda that supports it."""
        named = [name for rule in self.python for name in (*rule.wanted, *(LATER_SERIES if rule.minimum else ()))]
        return [name for name in in_order(named) if self.takes_python(name) and self._has_conda(name)]

    def takes_conda(self, version: str) -> bool:
        """Whether a version of Conda meets every rule."""
        return all(not rule.judge(Fact("conda", {"version": version})) for rule in self.conda)

    def takes_python(self, version: str) -> bool:
        """Whether a version of Python meets every rule."""
        try:
            return all(rule.accepts(version) for rule in self.python)
        except VersionRefused:
            return False

    def conda_for(self, series: str) -> str:
        """The package specification of a Conda that supports a series: `conda>=4.5,<=4.10.3`."""
        newest = NEWEST_CONDA.get(series)
        lowest = f">={self.minimum}" if self.minimum else ""
        return f"conda{lowest},<={newest}".replace("conda,", "conda") if newest else f"conda{lowest}"

    def _has_conda(self, series: str) -> bool:
        newest = NEWEST_CONDA.get(series)
        return newest is None or not self.minimum or compare_conda(newest, self.minimum) >= 0
