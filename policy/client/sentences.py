"""An answer in words for a person: what was found, what is needed, what to do."""

from collections.abc import Iterator, Mapping
from typing import Any

from policy.gateway.answer import Answer

VERDICT_WORDS: Mapping[str, str] = {
    "cleared": "is cleared by policy {policy}",
    "refused": "is refused by policy {policy}",
    "inconclusive": "could not be judged by policy {policy}",
    "not-applicable": "is not an image that policy {policy} could clear",
    "pending": "is not judged yet by policy {policy}: ask again in a moment",
}
_AGAINST = frozenset({"fail", "error"})


def in_words(answer: Answer) -> str:
    """Several lines, the decision first; ends without a newline."""
    lines = [_decision(answer), *_about(answer), *_findings(answer), *_to_do(answer)]
    return "\n".join(visible(line) for line in lines)


def visible(value: object) -> str:
    """Text that came from elsewhere, perhaps from inside an image, so that it cannot steer the terminal."""
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in str(value))


def fact_words(value: Mapping[str, Any] | None) -> str:
    """`ubuntu 16.04` for an operating system, `4.5.12` for a version, `none found` for nothing."""
    members = [str(member) for member in (value or {}).values() if member]
    return " ".join(members) or "none found"


def _decision(answer: Answer) -> str:
    word = "allowed" if answer.allowed else "denied" if answer.could_tell else "could not tell"
    if not answer.digest:
        return f"{word}: {answer.reference or 'no image is named'}"
    said = VERDICT_WORDS.get(answer.verdict, "has the verdict " + answer.verdict)
    return f"{word}: {answer.reference} {said.format(policy=answer.policy.get('name') or 'unknown')}"


def _about(answer: Answer) -> Iterator[str]:
    if answer.digest:
        yield f"  digest  {answer.digest}"
        for subject in ("os", "conda", "python"):
            yield f"  {subject:<7} {fact_words(answer.facts.get(subject))}"


def _findings(answer: Answer) -> Iterator[str]:
    for finding in answer.findings:
        if finding["result"] in _AGAINST:
            yield f"  found: {finding['message']}"
        elif finding["result"] == "warn":
            yield f"  note: {finding['message']}"


def _to_do(answer: Answer) -> Iterator[str]:
    fixes = [finding.get("fix") for finding in answer.findings if finding["result"] in _AGAINST]
    for fix in dict.fromkeys(fix for fix in fixes if fix):
        yield f"  to do: {fix}"
