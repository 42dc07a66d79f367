"""The result of a check: may this image be referenced for a deployment? The document is a stable interface."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from policy.gateway.inference_config.remarks import Remark, Weight

NOTHING_KNOWN: Mapping[str, Any] = {"os": None, "conda": None, "python": None, "base_python": None}
NO_POLICY: Mapping[str, str | None] = {"name": None, "digest": None}
REFERENCE_RULE = "reference"
CONFIG_RULE = "inference-config"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Allowed or denied, and why.

    Attributes:
        allowed: whether a deployment may start from the image.
        verdict: the policy's, on the image itself: cleared, refused, inconclusive, not-applicable or pending.
        reference: the requested image, with its registry and tag written out.
        digest: what it was resolved to; `None` when it could not be resolved.
        policy: `{"name", "digest"}`; both null when no policy was applied.
        facts: `{"os": {"id", "version"}, "conda": {"version"}, "python": {"version"}, "base_python": {"version"}}`;
            null for what was not found or not inspected.
        findings: `{"rule", "result", "message", "evidence", "fix", "changes"}` of rules; those of the reference or the
            configuration have no changes.
    """

    allowed: bool
    verdict: str
    reference: str
    digest: str | None = None
    policy: Mapping[str, Any] = field(default_factory=lambda: NO_POLICY)
    facts: Mapping[str, Any] = field(default_factory=lambda: NOTHING_KNOWN)
    findings: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def unresolved(cls, reference: str, message: str, policy: Mapping[str, Any] = NO_POLICY) -> Self:
        """The result for an image that was not found: denied, with the reason."""
        findings = (_finding(REFERENCE_RULE, Weight.ERROR, message),)
        return cls(allowed=False, verdict="inconclusive", reference=reference, policy=policy, findings=findings)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The result in a document of `document`'s shape.

        Raises:
            KeyError, TypeError, ValueError: the document has another shape.
        """
        members = {name: document[name] for name in ("verdict", "reference", "digest", "policy", "facts")}
        findings = tuple(_read(item) for item in document["findings"])
        return cls(allowed=document["allowed"] is True, findings=findings, **members)

    @property
    def could_tell(self) -> bool:
        """Whether the result is a decision: the image was inspected, or has a definite fault."""
        return self.digest is not None or self.stands_against

    @property
    def stands_against(self) -> bool:
        """Whether a finding fails it."""
        return any(item["result"] == Weight.FAIL for item in self.findings)

    def with_remarks(self, remarks: Sequence[Remark], rule: str = CONFIG_RULE) -> Self:
        """The result with a configuration's remarks: its faults deny the image."""
        added = tuple(_finding(rule, remark.weight, remark.message) for remark in remarks)
        sound = all(remark.weight is Weight.WARN for remark in remarks)
        return replace(self, allowed=self.allowed and sound, findings=(*added, *self.findings))

    def with_findings(self, rule: str, result: str, messages: Iterable[str]) -> Self:
        """The result with findings in front that are not from rules of the policy."""
        added = tuple(_finding(rule, result, message) for message in messages if message)
        return replace(self, findings=(*added, *self.findings))

    def document(self) -> dict[str, Any]:
        """JSON-able data, members in the documented order."""
        return {
            "allowed": self.allowed,
            "verdict": self.verdict,
            "reference": self.reference,
            "digest": self.digest,
            "policy": dict(self.policy),
            "facts": dict(self.facts),
            "findings": [dict(item) for item in self.findings],
        }


def _finding(rule: str, result: str, message: str) -> dict[str, Any]:
    return {"rule": rule, "result": str(result), "message": message, "evidence": []}


def _read(item: Mapping[str, Any]) -> dict[str, Any]:
    read = {**item, "result": item["result"], "message": item["message"]}
    if "changes" not in item:
        return read
    changes = [{**change, "words": change["words"], "lines": [*change["lines"]]} for change in item["changes"]]
    return {**read, "changes": changes}
