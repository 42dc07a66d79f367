"""What looks like a Conda and is none: kept only where it is one, reported only where no Conda is."""

from policy.inspection.detectors.conda_lookalike import kind_of, read
from policy.inspection.facts import Fact
from tests.corpus.builders import Image, image, inspect, layer
from tests.corpus.case import good
from tests.corpus.systems import elf, miniconda, ubuntu
from tests.corpus.tarballs import file, hard_link, link, program

PIP = "usr/lib/python3/dist-packages/conda-4.8.3.dist-info/METADATA"
METADATA = "Metadata-Version: 2.1\nName: conda\nVersion: 4.8.3\n"


def lookalikes(made: Image) -> tuple[Fact, ...]:
    """The facts that are told of them."""
    return made.facts().lookalikes("conda")


def test_the_path_tells_the_kind() -> None:
    """Other packages, and lists elsewhere, are nothing."""
    assert kind_of(PIP.encode()) == kind_of(b"conda-4.5-py3.6.egg-info/PKG-INFO") == "pip's record of the library"
    others = [b"x/conda_build-3.1.dist-info/METADATA", b"x/conda-build-3.1.egg-info/PKG-INFO", b"home/conda.list"]
    others += [b"x/conda-4.8.3.dist-info/x/METADATA", b"METADATA", b"xmicromamba", b"x/var/lib/dpkg/info/conda.list"]
    assert [kind_of(path) for path in others] == [""] * len(others)


def test_pips_record_names_its_version() -> None:
    """Where it has none, nothing is said; it is no fault."""
    assert read(METADATA.encode()) == {"version": "4.8.3"}
    assert read(elf()) == read(b"Version: a b\n") == {}


def test_metadata_of_other_packages_is_not_kept() -> None:
    """Neither as a file nor as a link."""
    entries = [file("x/numpy-1.0.dist-info/METADATA", METADATA), link("x/y-1.0.dist-info/METADATA", "z")]
    found = inspect(layer(*entries, file(PIP, METADATA)))
    assert (set(found.records), found.named) == ({PIP.encode()}, ())


def test_only_the_beginning_of_micromamba_is_kept() -> None:
    """It is large, and nothing in it counts."""
    record = inspect(layer(program("bin/micromamba", b"\x7fELF" * 9000))).records[b"bin/micromamba"]
    assert (record.stored, record.size, record.values, record.trouble) == (4096, 36000, {}, "")


def test_lookalikes_are_reported_and_not_judged() -> None:
    """With the place, the version and a note that says why it does not count."""
    (fact,) = lookalikes(image(ubuntu(), [file(PIP, METADATA)]))
    assert (fact.judged, fact.value) == (False, {"lookalike": "pip's record of the library", "version": "4.8.3"})
    assert fact.note == f"{PIP} is pip's record of the library, which proves no Conda installation"
    assert (fact.evidence[0].path, fact.evidence[0].index, fact.evidence[0].value) == (PIP, 1, "4.8.3")


def test_links_lead_to_one_lookalike() -> None:
    """A file is told of once; a link that leads nowhere is not told of."""
    entries = [program("opt/micromamba", elf()), link("usr/bin/micromamba", "/opt/micromamba")]
    dangling = link("bin/micromamba", "/nowhere")
    found = [[item.path for item in fact.evidence] for fact in lookalikes(image([*entries, dangling]))]
    assert found == [["opt/micromamba"]]


def test_a_link_to_another_name_is_told_without_bytes() -> None:
    """Its being there is the evidence, and the link is part of it."""
    (fact,) = lookalikes(image([program("opt/mm-1.5", elf()), link("usr/bin/micromamba", "/opt/mm-1.5")]))
    assert [(item.path, item.size) for item in fact.evidence] == [("opt/mm-1.5", 0), ("usr/bin/micromamba", 0)]


def test_a_real_conda_has_no_lookalikes() -> None:
    """pip's record lies in every real installation."""
    assert not lookalikes(image(good(), [file(PIP, METADATA), program("usr/bin/micromamba", elf())]))


def test_a_lookalike_is_not_read_as_anything_else() -> None:
    """A python or a record of conda that is a link to one is unclear, as for any file that was not read as such."""
    python = [entry for entry in miniconda() if not entry.path.endswith("/bin/python3.6")]
    hidden = [program("opt/micromamba", elf()), hard_link("opt/miniconda/bin/python3.6", "opt/micromamba", 0o755)]
    problem, *_ = image(ubuntu(), [*python, *hidden]).facts().problems
    assert (problem.reason, "was read as something else" in problem.message) == ("unclear-root", True)
