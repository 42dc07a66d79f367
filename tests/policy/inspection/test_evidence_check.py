"""Evidence is confirmed from the layers' bytes alone, and denied when anything about it is not so."""

import io
from dataclasses import replace
from typing import BinaryIO

import pytest

from policy.inspection.evidence_check import OpenLayer, verify
from policy.inspection.facts import Evidence, EvidenceState, ImageFacts
from tests.corpus.builders import TAR, ZSTD, Image, image, layer
from tests.corpus.case import good
from tests.corpus.systems import conda_python, miniconda, ubuntu
from tests.corpus.tarballs import whiteout


def opener(made: Image) -> OpenLayer:
    """Opens an image's layers."""
    blobs = made.blobs()

    def opened(digest: str) -> BinaryIO:
        if digest not in blobs:
            raise FileNotFoundError(digest)
        return io.BytesIO(blobs[digest])

    return opened


def pieces(facts: ImageFacts) -> list[Evidence]:
    """Every piece of evidence in an image's facts."""
    absent = [item for items in facts.absent.values() for item in items]
    return [item for fact in facts.facts for item in fact.evidence] + absent


@pytest.fixture
def made() -> Image:
    """Three kinds of layers, one with a record that the last deletes."""
    removed = whiteout("opt/miniconda/conda-meta/python-3.7.1-h0371630_0.json")
    return image(
        layer(*ubuntu()),
        layer(*miniconda("4.5.12", "3.7.1"), media_type=ZSTD),
        layer(removed, *conda_python("3.6.8"), media_type=TAR),
    )


def test_all_evidence_of_an_image_is_confirmed(made: Image) -> None:
    """Every piece with bytes is confirmed, in every compression, deleted ones included."""
    found = verify(pieces(made.facts()), opener(made))
    assert {item.confirmed for item in found if item.evidence.size} == {True}
    assert any(item.evidence.state is EvidenceState.SHADOWED for item in found if item.confirmed)


def test_links_and_absent_places_are_neither_confirmed_nor_denied(made: Image) -> None:
    """There is nothing to read again where there are no bytes."""
    found = verify(pieces(made.facts()), opener(made))
    assert {item.confirmed for item in found if not item.evidence.size} == {None}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"offset": 1025}, "sha256"),
        ({"size": 20}, "sha256"),
        ({"size": 10**9}, "sha256"),
        ({"offset": 10**12}, "sha256"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"value": "9.9.9"}, "does not stand"),
        ({"layer": "sha256:" + "1" * 64}, "cannot be read"),
    ],
)
def test_false_evidence_is_denied(made: Image, change: dict[str, object], why: str) -> None:
    """A wrong place, length, digest, value or layer is found out."""
    item = made.facts().judged("python")[0].evidence[0]
    found = verify([replace(item, **change)], opener(made))  # type: ignore[arg-type]
    assert found[0].confirmed is False
    assert why in found[0].message


def test_damaged_layer_denies() -> None:
    """A blob that was cut since cannot confirm what stood behind the cut."""
    made = image(good())
    blob = made.layers[0].blob
    item = made.facts().judged("python")[0].evidence[0]
    found = verify([item], lambda _digest: io.BytesIO(blob[: len(blob) // 3]))
    assert found[0].confirmed is False


def test_every_judged_fact_of_a_good_image_has_confirmable_evidence() -> None:
    """A fact that clears an image can be shown to a stranger."""
    made = image(good())
    for fact in made.facts().facts:
        found = verify(fact.evidence, opener(made))
        assert found[0].confirmed or fact.subject == "shell"
