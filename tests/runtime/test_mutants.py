"""The runtimes find faults: three that are put in on purpose are noticed by the tables of cases."""

import io

import pytest

from policy.assessment.verdict import judge_image
from policy.definition.policy import DEFAULT, known_policies
from policy.inspection.image.compose import compose
from policy.inspection.layer.scan import scan_layer
from registry.oci.manifest import ImageManifest, parse_manifest
from tests.runtime.court import Court, differences
from tests.runtime.images import Image
from tests.runtime.kinds.roster import TABLES
from tests.runtime.mutants import MUTANTS, mutated
from tests.runtime.question import Facts

TABLE = {
    "the first PATH is read": "paths",
    "names with a whiteout's infix are ignored": "names",
    "the mode of a hard link is ignored": "modes",
}


def told(made: Image) -> Facts:
    """What the inspection in this process says of an image; nothing where it is not sure."""
    manifest = parse_manifest(made.manifest, made.media_type)
    assert isinstance(manifest, ImageManifest)
    blobs = made.blobs
    layers = [scan_layer(io.BytesIO(blobs[item.digest]), item.digest) for item in manifest.layers]
    facts = compose(made.config, layers, manifest.layers)
    summary = judge_image("", facts, known_policies()[DEFAULT]).facts
    if facts.problems:
        return Facts()
    conda, python = (summary.get(name) or {} for name in ("conda", "python"))
    return Facts("", conda.get("version") or "", python.get("version") or "")


def suspects(name: str) -> list[Image]:
    """Images of the table of which the faulty inspection says something else than the right one."""
    made = [case.build() for case in TABLES[TABLE[name]]]
    right = [told(item) for item in made]
    with mutated(name):
        return [item for item, before in zip(made, right, strict=True) if told(item) != before]


@pytest.mark.parametrize("name", MUTANTS)
def test_fault_is_found(court: Court, name: str) -> None:
    """Some image of the tables is started as something else than the faulty inspection says."""
    found = suspects(name)[:5]
    trials = [court.hear(name, made) for made in found]
    with mutated(name):
        wrong = [differences(told(trial.image), facts) for trial in trials for facts in trial.shown.values()]
    assert any(wrong)
