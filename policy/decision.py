"""The one pure decision: what is known of an image, who asks at which door, under which mode -> allow, warn or deny.

Every door asks `decide`. It knows no clock, no store and no text; `policy.enforcement.denial` finds the words.
"""

from dataclasses import dataclass
from enum import StrEnum

from policy.state import State


class Mode(StrEnum):
    """What a policy does about an image that is not cleared."""

    ENFORCE = "enforce"  # kept, and withheld from those who only pull; never referenced for a deployment
    REJECT = "reject"  # the push itself is refused as well
    WARN = "warn"  # nothing is withheld; clients are told
    AUDIT = "audit"  # nothing is withheld, nobody is told; the verdict is recorded

    @property
    def withholds(self) -> bool:
        """Whether what is not cleared is kept from those who only pull."""
        return self in {Mode.ENFORCE, Mode.REJECT}


class AccessPoint(StrEnum):
    """A place where image content or a clearance is handed out, or content comes in."""

    PUSH = "push"
    MANIFEST = "manifest"
    BLOB = "blob"
    REFERRERS = "referrers"
    EXPORT = "export"
    REFERENCE = "reference"  # an image is named for a deployment


class Outcome(StrEnum):
    """What happens at the door."""

    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Question:
    """Everything the decision depends on.

    Attributes:
        access_point: where it is asked.
        state: the image's verdict; `pending` while there is none.
        mode: of the policy in that repository.
        may_push: whether the caller's role lets it push to the repository; such a caller may look at what it pushed.
        exempt: whether live exemptions cover every failed finding.
        missing: whether content that the verdict speaks of is not in the store.
        refers_to_withheld: whether it refers to a manifest that is withheld from the caller, who has to be one that
            only pulls (a deployment is such a caller, whoever asks for it).
    """

    access_point: AccessPoint
    state: State
    mode: Mode
    may_push: bool = False
    exempt: bool = False
    missing: bool = False
    refers_to_withheld: bool = False


def decide(question: Question) -> Outcome:
    """The answer at a door. Whatever is not explicitly let through is denied."""
    if question.access_point is AccessPoint.PUSH:
        return _in(question)
    if question.access_point is AccessPoint.REFERENCE and (question.missing or question.state is State.NOT_APPLICABLE):
        return Outcome.DENY
    return _withheld(question.mode) if question.refers_to_withheld else _out(question)


def _in(question: Question) -> Outcome:
    if question.state in {State.CLEARED, State.NOT_APPLICABLE}:
        return Outcome.ALLOW
    if question.exempt and question.state is State.REFUSED:
        return Outcome.WARN
    if question.mode is Mode.REJECT and question.state is not State.PENDING:
        return Outcome.DENY
    return Outcome.ALLOW if question.mode is Mode.AUDIT else Outcome.WARN


def _out(question: Question) -> Outcome:
    if question.state in {State.CLEARED, State.NOT_APPLICABLE}:
        return Outcome.ALLOW
    if question.exempt and question.state is State.REFUSED:
        return Outcome.WARN
    if question.may_push and question.access_point is not AccessPoint.REFERENCE:
        return Outcome.ALLOW
    return _withheld(question.mode)


def _withheld(mode: Mode) -> Outcome:
    if mode.withholds:
        return Outcome.DENY
    return Outcome.WARN if mode is Mode.WARN else Outcome.ALLOW
