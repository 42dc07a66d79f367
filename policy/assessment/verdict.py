"""Verdicts: the result of a policy for one image, as a document with the same bytes on every machine."""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from policy.advice.image import advised
from policy.advice.problems import change_for
from policy.definition.policy import Policy
from policy.inspection.facts import ImageFacts, Problem
from policy.inspection.facts_json import evidence_document, evidence_of
from policy.rules import Rule
from policy.rules.change import Change, fix_of
from policy.rules.findings import Finding, Result
from policy.rules.text_limits import FINDING_LIMIT, PLACE_LIMIT, elided
from policy.state import State
from registry.oci.canonical_json import canonical_json

FORMAT = 1
SUMMARY: Mapping[str, tuple[str, ...]] = {
    "os": ("id", "version"),
    "conda": ("version",),
    "python": ("version",),
    "base_python": ("version",),
}
"""What a verdict tells of the facts: `python` is always the one that PATH reaches, whichever the policy judges."""

GONE = "not in this repository any more"
"""Why a child that counts is inconclusive, when it was deleted."""

_OF_INDEX = 300
"""Findings of the images of an index that are told."""

Summary = Mapping[str, Mapping[str, str | None] | None]
_NOTHING: Summary = dict.fromkeys(SUMMARY)


@dataclass(frozen=True, slots=True)
class Child:
    """The state of one manifest of an index; empty for one that is not judged, and `why` says why."""

    digest: str
    platform: str
    state: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a policy for one manifest.

    Attributes:
        state: cleared, refused, inconclusive or not-applicable.
        digest: the manifest's.
        policy_name: the policy's name.
        policy_digest: the policy's digest; the same image and the same policy digest give the same bytes anywhere.
        facts: the judged values by component, `None` for what was not found.
        findings: of every rule, in the policy's order.
        children: for an index, the state of each manifest in it.
        detectors: names and versions of the detectors used.
    """

    state: State
    digest: str
    policy_name: str
    policy_digest: str
    facts: Summary
    findings: tuple[Finding, ...]
    children: tuple[Child, ...] = ()
    detectors: tuple[str, ...] = ()

    def named(self, digest: str) -> "Verdict":
        """The verdict on another manifest with the same facts."""
        return Verdict(
            self.state,
            digest,
            self.policy_name,
            self.policy_digest,
            self.facts,
            self.findings,
            self.children,
            self.detectors,
        )

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not cleared: the messages of everything that failed or could not be evaluated."""
        return tuple(item.message for item in self.findings if item.result in {Result.FAIL, Result.ERROR})

    @property
    def warnings(self) -> tuple[str, ...]:
        """The messages of soft rules that are not met, and of passed rules that need attention."""
        return tuple(item.message for item in self.findings if item.result is Result.WARN)

    def warnings_of(self, rules: Container[str]) -> tuple[str, ...]:
        """The warnings of the rules with these names."""
        return tuple(item.message for item in self.findings if item.result is Result.WARN and item.rule in rules)

    def document(self) -> dict[str, Any]:
        """The verdict as JSON-able data, without times and host names."""
        return {
            "format": FORMAT,
            "verdict": self.state.value,
            "digest": self.digest,
            "policy": {"name": self.policy_name, "digest": self.policy_digest},
            "facts": {name: None if value is None else dict(value) for name, value in self.facts.items()},
            "findings": [finding_document(item) for item in self.findings],
            "children": [
                {"digest": item.digest, "platform": item.platform, "verdict": item.state, "why": item.why}
                for item in self.children
            ],
            "detectors": list(self.detectors),
        }

    def to_bytes(self) -> bytes:
        """The canonical document."""
        return canonical_json(self.document())


def finding_document(item: Finding) -> dict[str, Any]:
    """`{"rule", "result", "message", "evidence": […], "fix", "changes": […]}`."""
    return {
        "rule": item.rule,
        "result": item.result.value,
        "message": item.message,
        "evidence": [evidence_document(place) for place in item.evidence],
        "fix": item.fix,
        "changes": [change.document() for change in item.changes],
    }


def verdict_of(raw: bytes) -> Verdict:
    """The verdict whose `to_bytes` wrote this."""
    document = json.loads(raw)
    return Verdict(
        state=State(document["verdict"]),
        digest=document["digest"],
        policy_name=document["policy"]["name"],
        policy_digest=document["policy"]["digest"],
        facts=document["facts"],
        findings=tuple(_finding(item) for item in document["findings"]),
        children=tuple(
            Child(item["digest"], item["platform"], item["verdict"], item["why"]) for item in document["children"]
        ),
        detectors=tuple(document["detectors"]),
    )


def _finding(document: Mapping[str, Any]) -> Finding:
    evidence = tuple(evidence_of(place) for place in document["evidence"])
    changes = tuple(Change.of_document(item) for item in document["changes"])
    return Finding(
        document["rule"], Result(document["result"]), document["message"], evidence, document["fix"], changes
    )


def judge_image(digest: str, facts: ImageFacts, policy: Policy) -> Verdict:
    """The verdict on one image. Anything unreadable in it makes the whole inconclusive.

    The facts found are still judged and reported: they are true whatever the rest is.
    """
    by_rules = tuple(finding for rule in policy.rules for finding in _of_rule(rule, facts))
    findings = (*map(_problem_finding, facts.problems), *advised(by_rules, facts, policy.rules))
    bounded = tuple(_bounded(item) for item in findings)
    return Verdict(
        _state(bounded), digest, policy.name, policy.digest, _summary(facts), bounded, detectors=facts.detectors
    )


def _of_rule(rule: Rule, facts: ImageFacts) -> tuple[Finding, ...]:
    """A rule's findings; in an image with problems only on facts found, because others may have been missed."""
    if not facts.problems or all(facts.judged(subject) for subject in rule.subjects):
        return rule.evaluate(facts)
    message = f"{rule.thing} was not judged: the image could not be read whole"
    return (Finding(rule.name, Result.SKIP, message),)


def judge_artifact(digest: str, media_type: str, policy: Policy) -> Verdict:
    """The verdict on content that is not an image, by the policy's `artifacts`."""
    state = State(policy.document.artifacts)
    result = Result.FAIL if state is State.REFUSED else Result.SKIP
    message = f"this is not an image (its type is {media_type}); needs an image to be referenced for a deployment"
    findings = (Finding("artifact", result, message),)
    return Verdict(state, digest, policy.name, policy.digest, _NOTHING, findings)


def judge_unreadable(digest: str, problem: Problem, policy: Policy) -> Verdict:
    """The verdict on a manifest whose content cannot be inspected at all."""
    findings = (_problem_finding(problem),)
    return Verdict(State.INCONCLUSIVE, digest, policy.name, policy.digest, _NOTHING, findings)


def without_content(verdict: Verdict, missing: Sequence[str], gone: Container[str] = ()) -> Verdict:
    """The verdict while some of its content is not in the store: inconclusive.

    Args:
        verdict: by the facts.
        missing: a sentence for each missing blob or manifest.
        gone: digests of the missing manifests, for the children of an index.
    """
    change = change_for(Problem("missing-content", ""))
    findings = tuple(
        Finding("content", Result.ERROR, elided(message, FINDING_LIMIT), fix=fix_of([change]), changes=(change,))
        for message in missing
    )
    children = tuple(
        replace(child, state=State.INCONCLUSIVE.value, why=GONE) if child.digest in gone else child
        for child in verdict.children
    )
    return replace(verdict, state=State.INCONCLUSIVE, findings=(*findings, *verdict.findings), children=children)


def judge_index(digest: str, children: Sequence[tuple[Child, Verdict | None]], policy: Policy) -> Verdict:
    """The verdict on an index: cleared when every judged image in it is.

    Args:
        digest: the index's own.
        children: in the index's order, each with its verdict; `None` for one that is not judged.
        policy: what judged the children.
    """
    images = [(child, verdict) for child, verdict in children if verdict is not None and _is_judged(verdict)]
    gaps = (child for child, verdict in children if images and _is_gap(child, verdict))
    findings = (*_of_images(images), *map(_no_image, islice(gaps, _OF_INDEX)))
    summary = images[0][1].facts if images else _NOTHING
    detectors = tuple(sorted({name for _, verdict in images for name in verdict.detectors}))
    if not images:
        findings = (Finding("artifact", Result.SKIP, "no manifest of this index is an image that counts"),)
    return Verdict(
        state=index_state(
            [(verdict.state, bool(child.platform)) for child, verdict in children if verdict is not None]
        ),
        digest=digest,
        policy_name=policy.name,
        policy_digest=policy.digest,
        facts=summary,
        findings=findings,
        children=tuple(child for child, _ in children),
        detectors=detectors,
    )


def _of_images(images: Sequence[tuple[Child, Verdict]]) -> list[Finding]:
    """What was found in an index's images: `_OF_INDEX` findings, and of the rest the first of each rule and result.

    An index may name one index many times, and that one another: all findings of all would have no end.
    """
    told: list[Finding] = []
    kinds: set[tuple[str, Result]] = set()
    seen: set[str] = set()
    for child, verdict in images:
        if len(told) >= _OF_INDEX and child.digest in seen:
            continue
        seen.add(child.digest)
        for item in verdict.findings:
            if len(told) < _OF_INDEX or (item.rule, item.result) not in kinds:
                kinds.add((item.rule, item.result))
                told.append(_of_child(child, item))
    return told


def index_state(children: Sequence[tuple[State, bool]]) -> State:
    """The state of an index.

    Args:
        children: of each judged manifest its state, and whether the index names a platform for it. A runtime of that
            platform would pick an artifact with a platform instead of an image: beside images it makes the index
            inconclusive. Other artifacts do not matter.
    """
    images = [state for state, _ in children if state is not State.NOT_APPLICABLE]
    if not images:
        return State.NOT_APPLICABLE
    if State.INCONCLUSIVE in images or (State.NOT_APPLICABLE, True) in children:
        return State.INCONCLUSIVE
    return State.REFUSED if State.REFUSED in images else State.CLEARED


def _is_judged(verdict: Verdict) -> bool:
    return verdict.state is not State.NOT_APPLICABLE


def _is_gap(child: Child, verdict: Verdict | None) -> bool:
    return verdict is not None and bool(child.platform) and not _is_judged(verdict)


def _no_image(child: Child) -> Finding:
    message = f"{child.digest[:19]} is not an image, and a runtime of this platform would pick it"
    return _of_child(child, Finding("artifact", Result.ERROR, message, fix="push an index without it"))


def _of_child(child: Child, item: Finding) -> Finding:
    name = elided(child.platform, PLACE_LIMIT) or child.digest[:19]
    return replace(item, message=elided(f"{name}: {item.message}", FINDING_LIMIT))


def _problem_finding(problem: Problem) -> Finding:
    change = change_for(problem)
    message = f"cannot be inspected: {problem.message}"
    return Finding("inspection", Result.ERROR, elided(message, FINDING_LIMIT), fix=fix_of([change]), changes=(change,))


def _bounded(item: Finding) -> Finding:
    return item if len(item.message) <= FINDING_LIMIT else replace(item, message=elided(item.message, FINDING_LIMIT))


def _state(findings: Sequence[Finding]) -> State:
    results = {item.result for item in findings}
    if Result.ERROR in results:
        return State.INCONCLUSIVE
    return State.REFUSED if Result.FAIL in results else State.CLEARED


def _summary(facts: ImageFacts) -> Summary:
    return {name: _first(facts, name, members) for name, members in SUMMARY.items()}


def _first(facts: ImageFacts, subject: str, members: tuple[str, ...]) -> Mapping[str, str | None] | None:
    judged = facts.judged(subject)
    return {member: judged[0].value.get(member) for member in members} if judged else None
