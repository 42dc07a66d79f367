"""The facts of an image, each with the evidence that proves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EvidenceState(StrEnum):
    """Whether the merged image shows the evidence."""

    FOUND = "found"  # visible in the merged root
    SHADOWED = "shadowed"  # in a layer, but deleted or replaced by a later one
    ABSENT = "absent"  # searched for, and not there


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place in an image that proves a fact, or did in an older layer.

    Attributes:
        path: member path inside the image, no leading slash: `opt/miniconda/conda-meta/conda-4.5.12-py37_0.json`.
        state: found, shadowed or absent.
        layer: digest of the layer blob; "" when absent.
        index: the layer's place in the manifest, from 0; -1 when absent.
        offset: where the member's bytes begin in the layer's uncompressed stream; -1 when there are no bytes.
        size: length of those bytes.
        sha256: hex digest of those bytes; "" when there are none.
        value: the value read there: a version, a link target, …
        shadowed_by: index of the layer that hides it; -1 when none does.
    """

    path: str
    state: EvidenceState = EvidenceState.FOUND
    layer: str = ""
    index: int = -1
    offset: int = -1
    size: int = 0
    sha256: str = ""
    value: str = ""
    shadowed_by: int = -1


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of an image.

    Attributes:
        subject: `os`, `conda`, `python` (the one that PATH reaches), `base_python` (that of Conda's base prefix) or
            `shell`; `environment` for what the configuration sets, which is reported only.
        value: its members, paths from `/`. A member that could not be read is absent.
            os: `id` and `version` as the file has them, and `config_os` when the configuration names another system
            than Linux. conda, python, base_python: `version`, `prefix`, `record` (the file of Conda's that says it);
            `fallback` is `path` when PATH reaches no such program. The Pythons: `program` (links followed), `launcher`
            (where it was found), `link` (the last link that leads out of its prefix), `records` (those that disagree).
            A look-alike of conda (reported only): `lookalike` (what it is, worded for messages) and `version`. A
            reported fact with `denied`: the path that the image's `user` may not use.
            environment: `User` where one is set, `PATH` where quotation marks are part of it.
        judged: whether rules judge it; other Pythons and shadowed records are reported only.
        note: one sentence for a person when the value alone would mislead ("" otherwise).
    """

    subject: str
    value: Mapping[str, str]
    judged: bool = True
    evidence: tuple[Evidence, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an image could not be inspected, wholly or in part: it makes the verdict inconclusive.

    Attributes:
        reason: a stable word: `damaged-layer`, `budget`, `hostile-name`, `unreadable-manifest`, `missing-layer`, …
        message: the sentence for a person, naming layer and place.
        layer: digest of the layer at fault; "" when it is none.
        index: its place in the manifest; -1 when it is none.
        path: the member at fault, as the layer names it; "" when it is none.
    """

    reason: str
    message: str
    layer: str = ""
    index: int = -1
    path: str = ""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Everything known of one image, independent of any policy.

    Attributes:
        facts: in a fixed order (os, conda, python, base_python, then reported ones): documents are reproducible.
        absent: per subject, the places searched without success.
        problems: empty when the whole image was read; the facts are true even beside problems.
        detectors: names and versions of the detectors that looked, `name@version`, sorted.
        layers: digests of the layers, in order.
    """

    facts: tuple[Fact, ...] = ()
    absent: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    detectors: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()

    def judged(self, subject: str) -> tuple[Fact, ...]:
        """The facts of a subject that rules judge."""
        return tuple(fact for fact in self.facts if fact.subject == subject and fact.judged)

    def lookalikes(self, subject: str) -> tuple[Fact, ...]:
        """The reported facts on look-alikes of the subject."""
        return tuple(fact for fact in self.facts if fact.subject == subject and "lookalike" in fact.value)
