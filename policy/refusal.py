"""The words at a door: why an image is withheld, for a person and for a program."""

from typing import Any

from policy.policies import Policy
from policy.rules.findings import Result
from policy.verdict import State, Verdict, finding_document

PENDING = "its layers are still being inspected; try again in a moment"
_MAXIMUM = 3000
_EVIDENCE = 4


def named(repository: str, reference: str) -> str:
    """An image as people write it: `team/app:v1`, or `team/app@sha256:…`."""
    return f"{repository}{'@' if ':' in reference else ':'}{reference}"


def refusal(name: str, policy: Policy, verdict: Verdict | None) -> str:
    """One sentence: `team/bad:v1 is not cleared by policy azureml-2019-07: FINDING; FINDING`."""
    return _shortened(f"{name} is not cleared by policy {policy.name}: {'; '.join(_reasons(verdict))}")


def refusal_detail(repository: str, digest: str, policy: Policy, verdict: Verdict | None) -> dict[str, Any]:
    """The same for a program: `{"repository", "digest", "verdict", "policy", "findings"}`."""
    findings = () if verdict is None else verdict.findings
    failed = [finding_document(item) for item in findings if item.result in {Result.FAIL, Result.ERROR}]
    return {
        "repository": repository,
        "digest": digest,
        "verdict": (State.PENDING if verdict is None else verdict.state).value,
        "policy": {"name": policy.name, "digest": policy.digest},
        "findings": [{**item, "evidence": item["evidence"][:_EVIDENCE]} for item in failed],
    }


def _reasons(verdict: Verdict | None) -> tuple[str, ...]:
    if verdict is None:
        return (PENDING,)
    return verdict.reasons or tuple(item.message for item in verdict.findings)


def _shortened(text: str) -> str:
    return text if len(text) <= _MAXIMUM else f"{text[:_MAXIMUM]}…"
