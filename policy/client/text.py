"""A check result in words: what was found, what is needed, what to do."""

from collections.abc import Iterator, Mapping
from typing import Any

from policy.gateway.check_result import CheckResult
from registry.errors import visible

VERDICT_WORDS: Mapping[str, str] = {
    "cleared": "is cleared by policy {policy}",
    "refused": "is refused by policy {policy}",
    "inconclusive": "could not be judged by policy {policy}",
    "not-applicable": "is not an image that policy {policy} could clear",
    "pending": "is not judged yet by policy {policy}: ask again in a moment",
}
# Allowed by an exemption, or by a mode that only warns; the notes say which.
ALTHOUGH_WORDS: Mapping[str, str] = {
    "refused": "although policy {policy} refuses it",
    "inconclusive": "although policy {policy} could not judge it",
    "not-applicable": "although it is not an image that policy {policy} could clear",
    "pending": "although policy {policy} has not judged it yet",
}
# Shown for a subject without a fact.
UNKNOWN_WORDS: Mapping[str, str] = {
    "inconclusive": "not looked at",
    "not-applicable": "not looked at",
    "pending": "not looked at yet",
}
_AGAINST = frozenset({"fail", "error"})
_AT_MOST = 10


def in_words(answer: CheckResult) -> str:
    """The lines of the answer, the decision first; no newline at the end."""
    lines = [_decision(answer), *_about(answer), *_findings(answer), *_to_do(answer)]
    return "\n".join(visible(line) for line in lines)


def fact_words(value: Mapping[str, Any] | None, unknown: str = "none found") -> str:
    """`ubuntu 16.04` for an operating system, `4.5.12` for a version, `unknown` for nothing."""
    if value is None:
        return unknown
    members = [str(member) for member in value.values() if member]
    return " ".join(members) or "found, its version is not known"


def _decision(answer: CheckResult) -> str:
    word = "allowed" if answer.allowed else "denied" if answer.could_tell else "could not tell"
    if not answer.digest:
        return f"{word}: {answer.reference or 'no image is named'}"
    policy = answer.policy.get("name") or "unknown"
    if answer.allowed and answer.verdict in ALTHOUGH_WORDS:
        return f"{word}: {answer.reference}, {ALTHOUGH_WORDS[answer.verdict].format(policy=policy)}"
    words = VERDICT_WORDS.get(answer.verdict, "has the verdict " + answer.verdict).format(policy=policy)
    suffix = ", but what names it cannot be used" if answer.verdict == "cleared" and not answer.allowed else ""
    return f"{word}: {answer.reference} {words}{suffix}"


def _about(answer: CheckResult) -> Iterator[str]:
    if not answer.digest:
        return
    yield f"  digest  {answer.digest}"
    any_fact = any(answer.facts.get(subject) for subject in ("os", "conda", "python"))
    unknown = UNKNOWN_WORDS.get(answer.verdict, "none found")
    unknown = "not known" if any_fact and unknown != "none found" else unknown
    for subject in ("os", "conda", "python"):
        yield f"  {subject:<7} {fact_words(answer.facts.get(subject), unknown)}{_beside(answer, subject)}"


def _beside(answer: CheckResult, subject: str) -> str:
    """The Python of Conda's base environment, when it is another one; else ""."""
    base = answer.facts.get("base_python")
    if subject != "python" or base is None or base == answer.facts.get("python"):
        return ""
    return f" (in Conda's base environment: {fact_words(base)})"


def _findings(answer: CheckResult) -> Iterator[str]:
    lines = [
        f"  found: {finding['message']}" if finding["result"] in _AGAINST else f"  note: {finding['message']}"
        for finding in answer.findings
        if finding["result"] in _AGAINST or finding["result"] == "warn"
    ]
    different = list(dict.fromkeys(lines))
    yield from different[:_AT_MOST]
    if len(different) > _AT_MOST:
        yield f"  and {len(different) - _AT_MOST} more: basegate explain --json shows all of them"


def _to_do(answer: CheckResult) -> Iterator[str]:
    against = [finding for finding in answer.findings if finding["result"] in _AGAINST]
    different = list(dict.fromkeys(advice for finding in against for advice in _advice(finding)))
    for words, *lines in different[:_AT_MOST]:
        yield f"  to do: {words}"
        yield from (f"         {line}" for line in lines)
    if len(different) > _AT_MOST:
        yield f"  and {len(different) - _AT_MOST} more things to do"


def _advice(finding: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The advice on a finding: words, and the lines of a Dockerfile that do it."""
    changes = finding.get("changes") or ()
    for change in changes:
        yield (str(change["words"]), *map(str, change["lines"]))
    if not changes and finding.get("fix"):
        yield (str(finding["fix"]),)
