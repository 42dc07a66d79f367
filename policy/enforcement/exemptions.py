"""Exemptions: a fail becomes a warning until a date, with an owner and a reason."""

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policy.rules import RULES
from policy.rules.findings import Finding, Result
from registry.auth.enrolment import require_pattern
from registry.errors import BasegateError
from registry.oci.digest import Digest
from registry.oci.errors import DigestInvalid
from registry.oci.patterns import EVERY, covers
from registry.oci.timestamp import seconds_of, timestamp

EXEMPTED = (*(rule.name for rule in RULES), EVERY)
"""What an exemption may be from: a rule, or all."""
_LONGEST = 500


class ExemptionRefused(BasegateError):
    """An exemption that makes no sense; the message says why, and what is needed."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """One exemption.

    Attributes:
        id: eight hexadecimal digits, to name it by.
        repositories: repository pattern; `*` matches everything.
        digest: one manifest, or "" for all of the repositories.
        rule: a rule's name, or `*` for all. What could not be evaluated is never exempted.
        owner: the person responsible.
        reason: why.
        expires: seconds since the epoch; it is valid before this time.
    """

    id: str
    repositories: str
    digest: str
    rule: str
    owner: str
    reason: str
    expires: float

    def covers(self, repository: str, digest: str, rule: str, now: float) -> bool:
        """Whether it covers a finding at the time `now`."""
        return (
            now < self.expires
            and self.rule in {"*", rule}
            and self.digest in {"", digest}
            and covers(self.repositories, repository)
        )

    @property
    def until(self) -> str:
        """Its end for a person: `2026-01-31T00:00:00Z`."""
        return timestamp(self.expires)


def new_exemption(  # noqa: PLR0913
    *, repositories: str, rule: str, owner: str, reason: str, until: str, digest: str = ""
) -> Exemption:
    """An exemption as a person asks for it, with a new id.

    Args:
        repositories: a name, or a pattern.
        rule: a rule's name, or `*`.
        owner: who answers for it.
        reason: why.
        until: a day or a time, `2027-01-31` or `2027-01-31T12:00:00Z`, in UTC unless it says otherwise.
        digest: one manifest, or "" for all.

    Raises:
        ExemptionRefused: something is missing, too long or no such thing, or it would have ended already.
    """
    given = {"repositories": repositories, "rule": rule, "owner": owner, "reason": reason, "until": until}
    given = {name: value.strip() for name, value in given.items()}
    for name, value in given.items():
        if not value or len(value) > _LONGEST:
            raise ExemptionRefused(
                f"the exemption has no {name}, or one of more than {_LONGEST} characters: fill it in"
            )
    if given["rule"] not in EXEMPTED:
        raise ExemptionRefused(f"there is no rule {given['rule'][:64]!r}: known are {', '.join(EXEMPTED)}")
    try:
        require_pattern(given["repositories"])
        one = Digest.parse(digest.strip()) if digest.strip() else ""
    except DigestInvalid as error:
        raise ExemptionRefused(error.message) from None
    except BasegateError as error:
        raise ExemptionRefused(str(error)) from None
    end = _end(given["until"])
    return Exemption(
        secrets.token_hex(4), given["repositories"], one, given["rule"], given["owner"], given["reason"], end
    )


def _end(text: str) -> float:
    try:
        seconds, _has_zone = seconds_of(text)
    except ValueError:
        raise ExemptionRefused(f"the end is {text[:32]!r}: needs a date such as 2027-01-31") from None
    if seconds <= time.time():
        raise ExemptionRefused(f"the end is {text[:32]!r}, which is over: needs a later date")
    return seconds


def exempted(
    exemptions: Sequence[Exemption], repository: str, digest: str, findings: Iterable[Finding], now: float
) -> tuple[str, ...]:
    """The warnings of an image whose failures are all exempted; empty when one is not."""
    messages = []
    for finding in findings:
        if finding.result is Result.ERROR:
            return ()
        if finding.result is not Result.FAIL:
            continue
        exemption = next((item for item in exemptions if item.covers(repository, digest, finding.rule, now)), None)
        if exemption is None:
            return ()
        messages.append(
            f"{finding.message} (exempted until {exemption.until} by {exemption.owner}: {exemption.reason})"
        )
    return tuple(messages)
