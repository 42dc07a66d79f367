"""Exemptions: a fail becomes a warning until a date, with an owner and a reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from policy.rules.findings import Finding, Result
from registry.oci.patterns import covers


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
        return datetime.fromtimestamp(self.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
