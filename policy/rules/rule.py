"""A rule: parameters that a policy file gives, and one pure function from facts to findings."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from policy.facts import Fact, ImageFacts
from policy.rules.findings import Finding, Result, is_none, looked_at, place_of
from policy.rules.versions import compare_conda, plain_version, series_of


class Rule(BaseModel):
    """The parameters of one rule. Subclasses name the rule, its subject among the facts, and judge one fact."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    soft: Annotated[bool, Field(description="true: what does not meet the rule is a warning, not a refusal")] = False

    name: ClassVar[str]
    subject: ClassVar[str]
    thing: ClassVar[str]

    @property
    @abstractmethod
    def needs(self) -> str:
        """What is required, as it ends a sentence: `4.5 or newer`."""

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

    def evaluate(self, facts: ImageFacts) -> tuple[Finding, ...]:
        """One finding for each judged fact of the subject; one fail when there is none."""
        judged = facts.judged(self.subject)
        if judged:
            return tuple(self._finding(fact) for fact in judged)
        absent = facts.absent.get(self.subject, ())
        lookalikes = facts.lookalikes(self.subject)
        where = looked_at(absent, "looked everywhere in the image") + is_none(lookalikes)
        message = f"no {self.thing} found: {where}; needs {self.needs}"
        evidence = (*(item for fact in lookalikes for item in fact.evidence), *absent)
        return (Finding(self.name, self._wrong, message, evidence, self.fix),)

    @property
    def _wrong(self) -> Result:
        return Result.WARN if self.soft else Result.FAIL

    def _finding(self, fact: Fact) -> Finding:
        wrong = self.judge(fact)
        if not wrong:
            return Finding(self.name, Result.PASS, f"{self.describe(fact)}{place_of(fact)}", fact.evidence)
        return Finding(self.name, self._wrong, f"{wrong}; needs {self.needs}", fact.evidence, self.fix)

    def unreadable(self, fact: Fact) -> str:
        """The start of a sentence on a fact whose version could not be read."""
        return f"{self.thing}{place_of(fact)} without a version that can be read{because(fact)}"


def because(fact: Fact) -> str:
    """A fact's note as the end of a clause: `: NOTE`."""
    return f": {fact.note}" if fact.note else ""


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


PlainVersion = Annotated[str, AfterValidator(_checked(plain_version)), Field(description="a number, or numbers joined by dots; quoted")]
CondaVersion = Annotated[
    str,
    AfterValidator(_checked(lambda text: compare_conda(text, text))),
    Field(description="a version in Conda's order"),
]
Series = Annotated[str, AfterValidator(_series), Field(description="two numbers joined by a dot, such as 3.6")]
