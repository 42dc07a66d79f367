"""Facts as JSON documents, as policy.db stores them and `explain` shows them."""

from dataclasses import asdict
from typing import Any

from policy.inspection.facts import Evidence, EvidenceState, Fact, ImageFacts, Problem


def evidence_document(item: Evidence) -> dict[str, Any]:
    """`{"path", "state", "layer", "index", "offset", "size", "sha256", "value", "shadowed_by"}`."""
    return {
        "path": item.path,
        "state": item.state.value,
        "layer": item.layer,
        "index": item.index,
        "offset": item.offset,
        "size": item.size,
        "sha256": item.sha256,
        "value": item.value,
        "shadowed_by": item.shadowed_by,
    }


def evidence_of(document: dict[str, Any]) -> Evidence:
    """The evidence that `evidence_document` wrote."""
    return Evidence(**{**document, "state": EvidenceState(document["state"])})


def fact_document(fact: Fact) -> dict[str, Any]:
    """`{"subject", "value", "judged", "note", "evidence": […]}`."""
    return {
        "subject": fact.subject,
        "value": dict(fact.value),
        "judged": fact.judged,
        "note": fact.note,
        "evidence": [evidence_document(item) for item in fact.evidence],
    }


def facts_document(facts: ImageFacts) -> dict[str, Any]:
    """Everything known of an image: `{"facts", "absent", "problems", "detectors", "layers"}`."""
    return {
        "facts": [fact_document(fact) for fact in facts.facts],
        "absent": {name: [evidence_document(item) for item in items] for name, items in facts.absent.items()},
        "problems": [asdict(problem) for problem in facts.problems],
        "detectors": list(facts.detectors),
        "layers": list(facts.layers),
    }


def facts_of(document: dict[str, Any]) -> ImageFacts:
    """The facts that `facts_document` wrote."""
    return ImageFacts(
        facts=tuple(_fact(item) for item in document["facts"]),
        absent={name: tuple(evidence_of(item) for item in items) for name, items in document["absent"].items()},
        problems=tuple(Problem(**item) for item in document["problems"]),
        detectors=tuple(document["detectors"]),
        layers=tuple(document["layers"]),
    )


def _fact(document: dict[str, Any]) -> Fact:
    evidence = tuple(evidence_of(item) for item in document["evidence"])
    return Fact(document["subject"], document["value"], document["judged"], evidence, document["note"])
