"""The one pure decision: state of an image, caller, access point and mode -> allow, warn or deny.

Every access point calls `decide`. It knows no clock, no store and no text; `policy.enforcement.denial` has those.
"""

from dataclasses import dataclass
from enum import StrEnum

from policy.state import State


class Mode(StrEnum):
    """What a policy does about an image that is not cleared."""

    ENFORCE = "enforce"  # stored, but withheld from those who only pull, and never allowed for a deployment
    REJECT = "reject"  # as enforce, and the push is refused
    WARN = "warn"  # nothing is withheld; clients get a warning
    AUDIT = "audit"  # nothing is withheld, without a warning; the verdict is recorded

    @property
    def withholds(self) -> bool:
        """Whether images that are not cleared are withheld from those who only pull."""
        return self in {Mode.ENFORCE, Mode.REJECT}


class AccessPoint(StrEnum):
    """A point where access to content, or a reference for a deployment, is decided."""

    PUSH = "push"
    MANIFEST = "manifest"
    BLOB = "blob"
    REFERRERS = "referrers"
    REFERENCE = "reference"  # an image is named for a deployment


class Outcome(StrEnum):
    """The outcome of a decision."""

    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Question:
    """The input of the decision.

    Attributes:
        access_point: where access is requested.
        state: the image's verdict; `pending` while there is none.
        mode: of the policy in that repository.
        may_push: whether the caller may push to the repository; such a caller may pull what it pushed.
        exempt: whether live exemptions cover every failed finding.
        missing: whether content of the verdict is not in the store.
        refers_to_withheld: whether its subject is withheld from the caller, who must be one that only pulls (a
            deployment always is).
    """

    access_point: AccessPoint
    state: State
    mode: Mode
    may_push: bool = False
    exempt: bool = False
    missing: bool = False
    refers_to_withheld: bool = False


def decide(question: Question) -> Outcome:
    """The decision. Whatever is not explicitly allowed is denied."""
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
