"""Indexes, attestations and artifacts of the corpus: what an index is worth, and what is no image at all."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from policy.assessment.manifest_verdicts import (
    artifact_subject,
    children_of,
    image_subject,
    index_subject,
    verdict_on,
    verdict_on_index,
)
from policy.assessment.verdict import Verdict
from policy.definition.policy import known_policies
from policy.inspection.image_kind import ImageKind, kind_by_types
from registry.oci.digest import Digest
from registry.oci.errors import ManifestInvalid
from registry.oci.manifest import ImageIndex, ImageManifest, parse_manifest
from tests.corpus.builders import (
    CONFIG,
    MANIFEST,
    TAR,
    Image,
    as_json,
    image,
)
from tests.corpus.case import good
from tests.corpus.systems import miniconda, ubuntu
from tests.corpus.tarballs import file

POLICY = known_policies()["azureml-2019-07"]
INDEX = "application/vnd.oci.image.index.v1+json"
AMD64 = {"os": "linux", "architecture": "amd64"}
ARM64 = {"os": "linux", "architecture": "arm64"}
UNKNOWN = {"os": "unknown", "architecture": "unknown"}


def bad() -> Image:
    """An image that is refused."""
    return image(ubuntu(), miniconda("4.5.11", "3.7.0"))


def unreadable() -> Image:
    """An image that is inconclusive."""
    return image(good(), [file("../x")])


def artifact(config: str = "application/vnd.cncf.helm.config.v1+json", layer: str = "application/x+gzip") -> bytes:
    """A manifest that is no image."""
    descriptor = {"digest": str(Digest.of(b"{}")), "size": 2}
    return as_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": config, **descriptor},
            "layers": [{"mediaType": layer, **descriptor}],
        }
    )


def judged(raw: bytes, made: Image | None = None) -> Verdict:
    """The verdict on one manifest that is no index."""
    manifest = parse_manifest(raw, MANIFEST)
    assert isinstance(manifest, ImageManifest)
    digest = Digest.of(raw)
    if kind_by_types(manifest) is ImageKind.IMAGE and made is not None:
        return verdict_on(image_subject(digest, made.facts(), ""), POLICY)
    return verdict_on(artifact_subject(digest, manifest), POLICY)


@dataclass(frozen=True)
class Child:
    """A manifest of an index; `here` is false when it was never pushed."""

    content: Image | bytes
    platform: dict[str, str] | None = None
    here: bool = True

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.manifest()


def of_index(children: Sequence[Child]) -> Verdict:
    """The verdict on an index of these."""
    members: list[dict[str, Any]] = [
        {"mediaType": MANIFEST, "digest": str(Digest.of(child.raw)), "size": len(child.raw)}
        | ({"platform": child.platform} if child.platform else {})
        for child in children
    ]
    raw = as_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": members})
    index = parse_manifest(raw, INDEX)
    assert isinstance(index, ImageIndex)
    subject = index_subject(Digest.of(raw), index)
    counting = {entry.digest for entry in children_of(subject) if not entry.why_not(POLICY)}
    verdicts = {
        str(Digest.of(child.raw)): judged(child.raw, child.content if isinstance(child.content, Image) else None)
        for child in children
        if child.here and str(Digest.of(child.raw)) in counting
    }
    return verdict_on_index(subject, verdicts, POLICY)


@pytest.mark.parametrize(
    ("children", "state"),
    [
        ([Child(image(good()), AMD64)], "cleared"),
        ([Child(image(good()), AMD64), Child(image(good(), architecture="arm64"), ARM64)], "cleared"),
        ([Child(image(good()), AMD64), Child(bad(), ARM64)], "refused"),
        ([Child(bad(), AMD64), Child(image(good()), ARM64)], "refused"),
        ([Child(image(good()), AMD64), Child(unreadable(), ARM64)], "inconclusive"),
        ([Child(bad(), AMD64), Child(unreadable(), ARM64)], "inconclusive"),
        ([Child(image(good()), AMD64), Child(image([file("in-toto")]), UNKNOWN)], "cleared"),
        ([Child(image(good()), None)], "cleared"),
        ([Child(bad(), None)], "refused"),
        ([Child(image(good()), AMD64), Child(image(good(), path="/bin"), ARM64, here=False)], "inconclusive"),
        ([Child(image([file("in-toto")]), UNKNOWN)], "not-applicable"),
        ([], "not-applicable"),
        ([Child(artifact())], "not-applicable"),
        ([Child(image(good()), AMD64), Child(artifact())], "cleared"),
        ([Child(bad(), AMD64), Child(artifact())], "refused"),
        ([Child(image(good()), ARM64), Child(artifact(), AMD64)], "inconclusive"),
        ([Child(bad(), ARM64), Child(artifact(), AMD64)], "inconclusive"),
        ([Child(image(good()), AMD64), Child(artifact(), UNKNOWN)], "cleared"),
        ([Child(artifact(), AMD64)], "not-applicable"),
    ],
)
def test_index_is_judged_by_its_images(children: list[Child], state: str) -> None:
    """Every image that counts must pass; attestations and artifacts aside."""
    assert of_index(children).state.value == state


@pytest.mark.parametrize(
    "raw",
    [
        artifact(),
        artifact("application/vnd.oci.empty.v1+json", "application/spdx+json"),
        artifact("application/vnd.dev.cosign.simplesigning.v1+json"),
        artifact(CONFIG, "application/vnd.in-toto+json"),
        artifact("application/vnd.unknown.config.v1+json", TAR),
    ],
)
def test_artifact_is_not_applicable(raw: bytes) -> None:
    """A chart, an SBOM, a signature, an attestation, and a bundle of layers without a known configuration."""
    assert judged(raw).state.value == "not-applicable"


@pytest.mark.parametrize("twin", ["Layers", "LAYERS", "Config", "SchemaVersion"])
def test_members_that_differ_by_case_are_refused(twin: str) -> None:
    """Go reads one of the two, others read the other: such a manifest is never stored."""
    document = json.loads(image(good()).manifest())
    original = next(name for name in document if name.lower() == twin.lower())
    with pytest.raises(ManifestInvalid, match="case"):
        parse_manifest(as_json({**document, twin: document[original]}), MANIFEST)


def test_member_that_stands_twice_is_refused() -> None:
    """Of two equal names readers take the first or the last."""
    raw = image(good()).manifest().replace(b'"layers":', b'"layers":[],"layers":', 1)
    with pytest.raises(ManifestInvalid, match="twice"):
        parse_manifest(raw, MANIFEST)
