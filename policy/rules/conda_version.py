"""Rule `conda-version`: the Conda that the image's PATH reaches has a minimum version."""

from typing import ClassVar

from policy.inspection.facts import Fact
from policy.rules.findings import place_of
from policy.rules.rule import CondaVersion as Version
from policy.rules.rule import Rule, because, version_of
from policy.rules.versions import VersionRefused, compare_conda


class CondaVersion(Rule):
    """The version of the package `conda` in the base prefix is at least `minimum`, in Conda's own order."""

    name: ClassVar[str] = "conda-version"
    subject: ClassVar[str] = "conda"
    thing: ClassVar[str] = "Conda"
    programs: ClassVar[tuple[str, ...]] = ("conda",)

    minimum: Version

    @property
    def needs(self) -> str:
        """`4.5 or newer`."""
        return f"{self.minimum} or newer"

    @property
    def fix(self) -> str:
        """An installation or update."""
        return (
            f"install Conda {self.minimum} or newer and put its bin directory on PATH, or update the one there: "
            f"RUN conda install -y 'conda>={self.minimum}'"
        )

    def describe(self, fact: Fact) -> str:
        """`Conda 4.5.12`."""
        return f"Conda {version_of(fact)}".strip()

    def judge(self, fact: Fact) -> str:
        """Wrong when the version cannot be read or is too old."""
        try:
            old = compare_conda(fact.value.get("version", ""), self.minimum) < 0
        except VersionRefused:
            return self.unreadable(fact)
        return f"{self.describe(fact)}{place_of(fact)}{because(fact)}" if old else ""
