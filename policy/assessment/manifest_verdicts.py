"""Inspected manifests made of facts, and verdicts and states made of inspected manifests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from policy.assessment.verdict import Child, Verdict, judge_artifact, judge_image, judge_index, judge_unreadable
from policy.definition.policy import Policy
from policy.inspection.facts import Fact, ImageFacts, Problem
from policy.inspection.facts_json import facts_document, facts_of
from policy.results.manifests import InspectedManifest, Kind
from policy.state import State
from registry.oci.canonical_json import canonical_json
from registry.oci.descriptor import Descriptor
from registry.oci.manifest import ImageIndex, ImageManifest
from registry.oci.media_types import is_manifest
from registry.oci.platforms import Platform

PASSING_PROBLEMS = frozenset({"missing-layer", "missing-config", "inspection-failed"})
NESTING = 3


@dataclass(frozen=True, slots=True)
class ChildEntry:
    """One manifest of an index, by its descriptor.

    Attributes:
        blob_type: the media type, if it is not a manifest's: older BuildKit caches name blobs.
    """

    digest: str
    os: str
    architecture: str
    variant: str
    blob_type: str | None = None

    @property
    def platform(self) -> str:
        """`linux/arm64/v8`; "" when the descriptor names none."""
        return str(self._platform)

    def why_not(self, policy: Policy) -> str:
        """Why it is not judged; "" if it is."""
        if self._platform.is_unknown:
            return "attestation"
        return "" if policy.counts(self._platform) else "platform is not part of the policy"

    @property
    def _platform(self) -> Platform:
        return Platform(self.os, self.architecture, self.variant)


def image_subject(digest: str, facts: ImageFacts, detectors: str) -> InspectedManifest:
    """An inspected image. Its state depends only on the judged values and on whether there were problems."""
    judged: dict[str, list[dict[str, str]]] = {}
    for fact in facts.facts:
        if fact.judged:
            judged.setdefault(fact.subject, []).append(dict(fact.value))
    essence = canonical_json({"judged": judged, "problems": bool(facts.problems)}).decode()
    final = not any(problem.reason in PASSING_PROBLEMS for problem in facts.problems)
    return InspectedManifest(digest, Kind.IMAGE, detectors, essence, final, canonical_json(facts_document(facts)))


def artifact_subject(digest: str, manifest: ImageManifest) -> InspectedManifest:
    """An inspected manifest that is not an image: a chart, a signature, an SBOM."""
    body = canonical_json({"type": manifest.artifact_type or manifest.config.media_type})
    return InspectedManifest(digest, Kind.ARTIFACT, "", "", final=True, body=body)


def index_subject(digest: str, index: ImageIndex) -> InspectedManifest:
    """An inspected index: its verdict is made of those of its children."""
    body = canonical_json([_entry(item) for item in index.manifests])
    return InspectedManifest(digest, Kind.INDEX, "", "", final=True, body=body)


def children_of(subject: InspectedManifest) -> tuple[ChildEntry, ...]:
    """The manifests of an index."""
    return tuple(ChildEntry(*item) for item in json.loads(subject.body))


def facts_of_subject(subject: InspectedManifest) -> ImageFacts:
    """All facts of an image."""
    return facts_of(json.loads(subject.body))


def verdict_on(subject: InspectedManifest, policy: Policy) -> Verdict:
    """The whole verdict on an image or artifact."""
    if subject.kind is Kind.ARTIFACT:
        return judge_artifact(subject.manifest, json.loads(subject.body)["type"], policy)
    return judge_image(subject.manifest, facts_of_subject(subject), policy)


def verdict_on_index(subject: InspectedManifest, verdicts: Mapping[str, Verdict], policy: Policy) -> Verdict:
    """The whole verdict on an index, given those of its judged children; a missing manifest is inconclusive."""
    members: list[tuple[Child, Verdict | None]] = []
    for entry in children_of(subject):
        why = entry.why_not(policy)
        if why:
            members.append((Child(entry.digest, entry.platform, "", why), None))
            continue
        verdict = verdicts.get(entry.digest) or _uninspected(entry, policy)
        members.append((Child(entry.digest, entry.platform, verdict.state.value), verdict))
    return judge_index(subject.manifest, members, policy)


def state_of_essence(kind: Kind, essence: str, policy: Policy) -> State:
    """The state that `verdict_on` gives to every inspected manifest of this kind and essence."""
    if kind is Kind.ARTIFACT:
        return State(policy.document.artifacts)
    content = json.loads(essence)
    facts = tuple(Fact(name, value) for name, values in content["judged"].items() for value in values)
    problems = (Problem("known", ""),) if content["problems"] else ()
    return judge_image("", ImageFacts(facts, problems=problems), policy).state


def _uninspected(entry: ChildEntry, policy: Policy) -> Verdict:
    if entry.blob_type is not None:
        return judge_artifact(entry.digest, entry.blob_type, policy)
    problem = Problem("missing-manifest", f"manifest {entry.digest} of the index is not in this repository")
    return judge_unreadable(entry.digest, problem, policy)


def _entry(item: Descriptor) -> list[str]:
    """The JSON that a `ChildEntry` is made from."""
    platform = item.platform or Platform("", "", "")
    entry = [item.digest, platform.os, platform.architecture, platform.variant]
    return entry if is_manifest(item.media_type) else [*entry, item.media_type]
