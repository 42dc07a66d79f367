"""Denial messages: why an image is withheld, for a person and for a program."""

from typing import Any

from policy.assessment.verdict import Verdict, finding_document
from policy.definition.policy import Policy
from policy.rules.findings import Result
from policy.rules.text_limits import listed
from policy.state import State

PENDING = "its layers are still being inspected; try again in a moment"
_EVIDENCE = 4
_FINDINGS = 20


def named(repository: str, reference: str) -> str:
    """An image as people write it: `team/app:v1`, or `team/app@sha256:…`."""
    return f"{repository}{'@' if ':' in reference else ':'}{reference}"


def refusal(name: str, policy: Policy, verdict: Verdict | None) -> str:
    """A sentence of up to 1,000 bytes: `team/bad:v1 is not cleared by policy azureml-2019-07: FINDING; and 4 more`."""
    return listed(f"{name} is not cleared by policy {policy.name}: ", _reasons(verdict))


def refusal_detail(repository: str, digest: str, policy: Policy, verdict: Verdict | None) -> dict[str, Any]:
    """The same for a program: `{"repository", "digest", "verdict", "policy", "findings"}`.

    It has at most 20 findings with 4 places each, because clients print it; `more` counts the others.
    """
    findings = () if verdict is None else verdict.findings
    failed = [finding_document(item) for item in findings if item.result in {Result.FAIL, Result.ERROR}]
    return {
        "repository": repository,
        "digest": digest,
        "verdict": (State.PENDING if verdict is None else verdict.state).value,
        "policy": {"name": policy.name, "digest": policy.digest},
        "findings": [_brief(item) for item in failed[:_FINDINGS]],
        **({"more": len(failed) - _FINDINGS} if len(failed) > _FINDINGS else {}),
    }


def _reasons(verdict: Verdict | None) -> tuple[str, ...]:
    if verdict is None:
        return (PENDING,)
    return verdict.reasons or tuple(item.message for item in verdict.findings)


def _brief(item: dict[str, Any]) -> dict[str, Any]:
    """A finding with its first places, and without its changes, which `fix` has as text."""
    return {name: value for name, value in item.items() if name != "changes"} | {
        "evidence": item["evidence"][:_EVIDENCE]
    }
