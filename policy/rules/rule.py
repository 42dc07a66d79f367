"""A rule: parameters that a policy file gives, and one pure function from facts to findings."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from policy.inspection.facts import Fact, ImageFacts
from policy.rules.findings import Finding, Result, lookalike_clause, place_of, searched_places
from policy.rules.text_limits import NOTE_LIMIT, elided
from policy.rules.versions import compare_conda, plain_version, series_of

_VERSION_LIMIT = 64


class Rule(BaseModel):
    """The parameters of one rule. Subclasses give the rule's name and subject, and judge one fact."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    soft: Annotated[bool, Field(description="true: what does not meet the rule is a warning, not a refusal")] = False

    name: ClassVar[str]
    subject: ClassVar[str]
    thing: ClassVar[str]
    programs: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def needs(self) -> str:
        """The requirement, worded as the end of a sentence: `4.5 or newer`."""

    @property
    @abstractmethod
    def fix(self) -> str:
        """The nearest change to an image that satisfies the rule."""

    @abstractmethod
    def judge(self, fact: Fact) -> str:
        """What is wrong with the fact, as the start of a sentence; "" when nothing is."""

    @abstractmethod
    def describe(self, fact: Fact) -> str:
        """The fact in words: `Conda 4.5.12`."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects of the facts that it judges; all must pass."""
        return (self.subject,)

    def evaluate(self, facts: ImageFacts) -> tuple[Finding, ...]:
        """One finding for each judged fact of its subjects; one fail for a subject without a fact."""
        return tuple(finding for subject in self.subjects for finding in self._on(subject, facts))

    def named(self, subject: str) -> str:
        """A subject in words."""
        return self.thing if subject == self.subject else subject

    def _on(self, subject: str, facts: ImageFacts) -> tuple[Finding, ...]:
        judged = facts.judged(subject)
        if judged:
            return tuple(self._finding(fact) for fact in judged)
        absent = facts.absent.get(subject, ())
        lookalikes = facts.lookalikes(subject)
        where = searched_places(absent, "looked everywhere in the image") + lookalike_clause(lookalikes)
        message = f"no {self.named(subject)} found: {where}; needs {self.needs}"
        evidence = (*(item for fact in lookalikes for item in fact.evidence), *absent)
        return (Finding(self.name, self._wrong, message, evidence, self.fix),)

    @property
    def _wrong(self) -> Result:
        return Result.WARN if self.soft else Result.FAIL

    def _finding(self, fact: Fact) -> Finding:
        wrong = self.judge(fact)
        if not wrong:
            doubt = self._doubt(fact)
            return Finding(
                self.name,
                Result.WARN if doubt else Result.PASS,
                f"{self.describe(fact)}{place_of(fact)}{doubt}",
                fact.evidence,
            )
        return Finding(self.name, self._wrong, f"{wrong}; needs {self.needs}", fact.evidence, self.fix)

    def _doubt(self, fact: Fact) -> str:
        """The warning on a fact that meets the rule but that PATH does not reach; "" for none."""
        if fact.value.get("fallback") != "path":
            return ""
        return f", which the image's PATH does not reach: it reaches no {' and no '.join(self.programs)}"

    def unreadable(self, fact: Fact) -> str:
        """The start of a sentence on a fact whose version could not be read."""
        return f"{self.named(fact.subject)}{place_of(fact)} without a version that can be read{because(fact)}"


def because(fact: Fact) -> str:
    """A fact's note as the end of a clause: `: NOTE`."""
    return f": {elided(fact.note, NOTE_LIMIT)}" if fact.note else ""


def version_of(fact: Fact) -> str:
    """A fact's version as messages show it."""
    return elided(fact.value.get("version", ""), _VERSION_LIMIT)


def _checked(reader: Callable[[str], object]) -> Callable[[str], str]:
    def check(text: str) -> str:
        reader(text)
        return text

    return check


def _series(text: str) -> str:
    numbers = series_of(text)
    if text != f"{numbers[0]}.{numbers[1]}":
        raise ValueError(f"{text!r} is not a series: needs two numbers, such as 3.6")
    return text


PlainVersion = Annotated[
    str, AfterValidator(_checked(plain_version)), Field(description="a number, or numbers joined by dots; quoted")
]
CondaVersion = Annotated[
    str,
    AfterValidator(_checked(lambda text: compare_conda(text, text))),
    Field(description="a version in Conda's order"),
]
Series = Annotated[str, AfterValidator(_series), Field(description="two numbers joined by a dot, such as 3.6")]
