"""Composing an image: evidence kept, places looked at in vain kept, nothing believed of what was not read."""

from dataclasses import asdict, replace

import pytest

from policy.inspection.budgets import Budgets, ImageBudgets
from policy.inspection.detectors import DETECTORS, names
from policy.inspection.facts import EvidenceState
from policy.inspection.image.compose import compose
from tests.corpus.builders import Image, image
from tests.corpus.case import good
from tests.corpus.systems import miniconda, python_files, record, system_python, ubuntu
from tests.corpus.tarballs import (
    Entry,
    file,
    hard_link,
    link,
    program,
    whiteout,
)

META = "opt/miniconda/conda-meta"


def test_deleted_record_is_reported_with_the_layer_that_deleted_it() -> None:
    """Found in layer 1, deleted by layer 2: not judged, not forgotten."""
    deleted = whiteout(f"{META}/python-3.6.8-h0371630_0.json")
    facts = image(ubuntu(), miniconda(), [deleted]).facts()
    (item,) = [e for fact in facts.facts for e in fact.evidence if e.state is EvidenceState.SHADOWED]
    assert (item.index, item.shadowed_by, item.value, item.size > 0) == (1, 2, "3.6.8", True)


def test_places_looked_at_in_vain_are_listed() -> None:
    """Without an os-release the three places are named, without conda all of PATH."""
    facts = image([file("x")], path="/a/bin:/b").facts()
    assert [item.path for item in facts.absent["os"]] == ["etc/os-release", "usr/lib/os-release", "etc/lsb-release"]
    assert [item.path for item in facts.absent["conda"]] == ["a/bin/conda", "b/conda", "*/conda-meta/conda-*.json"]


def test_other_pythons_are_reported_and_not_judged() -> None:
    """The system's Python stands beside the prefix's, with a note."""
    facts = image(good(), system_python("3.8.10")).facts()
    others = [fact for fact in facts.facts if fact.subject == "python" and not fact.judged]
    assert [(fact.value["version"], "neither what PATH reaches" in fact.note) for fact in others] == [("3.8.10", True)]


def test_package_cache_is_reported_and_not_judged() -> None:
    """A record in pkgs proves no installation."""
    cached = file("opt/miniconda/pkgs/conda-4.9.2-0/info/conda-4.9.2-0.json", record("conda", "4.9.2"))
    facts = image(good(), [cached]).facts()
    notes = [fact.note for fact in facts.facts if fact.subject == "conda" and not fact.judged]
    assert ["package cache" in note for note in notes] == [True]


def test_link_is_part_of_the_evidence() -> None:
    """os-release was reached by a link, and that is said."""
    fact = image(good()).facts().judged("os")[0]
    assert [(item.path, item.value) for item in fact.evidence] == [
        ("usr/lib/os-release", "ubuntu 16.04"),
        ("etc/os-release", "../usr/lib/os-release"),
    ]


def test_same_image_gives_the_same_facts() -> None:
    """Facts are values: two looks are equal."""
    assert image(good(), system_python()).facts() == image(good(), system_python()).facts()


def test_facts_name_layers_and_detectors() -> None:
    """A verdict can tell what was looked at, and by what."""
    made = image(ubuntu(), miniconda())
    facts = made.facts()
    assert facts.layers == tuple(str(layer.digest) for layer in made.layers)
    assert facts.detectors == names(DETECTORS)


def test_one_unread_layer_leaves_no_facts_at_all() -> None:
    """Every problem is named with its layer; nothing is half believed."""
    made = image(good(), [Entry("x", checksum=b"000000\0 ")], [file("../x")])
    facts = made.facts()
    assert [(problem.reason, problem.index) for problem in facts.problems] == [
        ("damaged-layer", 1),
        ("hostile-name", 2),
    ]
    assert not facts.facts


def test_inspection_of_another_blob_is_not_taken() -> None:
    """What is composed must be what the manifest names, byte for byte."""
    made = image(good())
    (found,) = made.inspected()
    assert found is not None
    longer = [replace(found, compressed=found.compressed + 1)]
    facts = compose(made.config, longer, made.descriptors())
    assert [problem.reason for problem in facts.problems] == ["size-mismatch"]


def many_prefixes() -> Image:
    """More Conda prefixes than anybody has."""
    entries = [file(f"p{n}/conda-meta/conda-4.5.12-0.json", record("conda", "4.5.12")) for n in range(300)]
    return image([*ubuntu(), *entries], path="/bin")


def many_pythons() -> Image:
    """More Pythons than anybody has."""
    return image([*ubuntu(), *(entry for n in range(300) for entry in python_files("3.6.8", f"p{n}"))])


def long_path() -> Image:
    """A PATH of thousands of directories."""
    return image(good(), path=":".join(f"/d{n}" for n in range(5000)))


def test_too_much_of_anything_is_unclear() -> None:
    """What would take long to compose is not composed, and says so."""
    for made in (many_prefixes(), many_pythons(), long_path()):
        facts = made.facts()
        assert [problem.reason for problem in facts.problems] == ["unclear-root"]
        assert "more than" in facts.problems[0].message


@pytest.mark.parametrize(
    "budgets",
    [
        ImageBudgets(variable_length=10),
        ImageBudgets(path_directories=1),
        ImageBudgets(wanted_files=3),
        ImageBudgets(prefixes=0),
        ImageBudgets(prefix_records=0),
        ImageBudgets(pythons=0),
        ImageBudgets(steps=20),
    ],
    ids=lambda budgets: next(name for name, value in asdict(budgets).items() if value != asdict(ImageBudgets())[name]),
)
def test_every_budget_of_an_image_is_kept(budgets: ImageBudgets) -> None:
    """Past any of them a good image is inconclusive, and the message says how much is allowed."""
    made = image(good(), path="/usr/bin:/bin")
    assert not made.facts().problems
    problem, *_ = compose(made.config, made.inspected(), made.descriptors(), budgets).problems
    assert f"than {next(value for value in asdict(budgets).values() if value <= 20)} " in problem.message


def test_hard_links_through_too_many_layers_are_unclear() -> None:
    """A chain as long as the manifest allows ends in a problem, not in a crash."""
    chain = ([hard_link(f"f{n + 1}/os-release", f"f{n}/os-release")] for n in range(900))
    top = [link("etc/os-release", "/f900/os-release")]
    facts = image([*good(), file("f0/os-release", "ID=ubuntu\nVERSION_ID=16.04\n")], *chain, top).facts()
    assert [problem.reason for problem in facts.problems] == ["unclear-root"]


def test_budget_is_named_with_its_layer() -> None:
    """A layer beyond its budget is inconclusive, stated."""
    facts = image(good(), [program("x", b"y" * 9000)]).facts(Budgets(uncompressed_bytes=9000))
    assert {problem.reason for problem in facts.problems} == {"budget"}
    assert facts.problems[0].message.startswith("layer 0 (sha256:")
