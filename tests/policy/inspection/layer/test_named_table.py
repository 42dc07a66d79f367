"""Layers with tables of contents in images: cleared when the table is true and the manifest names it, else unclear."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from policy.inspection.archive.zstandard import zstd
from policy.inspection.facts import Problem
from tests.corpus.builders import Layer, image, layer
from tests.corpus.case import good
from tests.corpus.lazy_layers import (
    CHECKSUM,
    OLD_POSITION,
    POSITION,
    TOC_DIGEST,
    Table,
    estargz,
    sha256,
    zstd_chunked,
)
from tests.corpus.tarballs import file

Make = Callable[..., Layer]
ELSE = [file("opt/else", b"1" * 1000)]
NO_DIGEST = "sha256:" + "0" * 64
TAR_SPLIT = "io.github.containers.zstd-chunked.tarsplit-position"
UNPACKED = "io.github.containers.zstd-chunked.uncompressed-digest"
SIZE = "io.containers.estargz.uncompressed-size"
MAKERS = pytest.mark.parametrize("make", [zstd_chunked, estargz], ids=["zstd:chunked", "eStargz"])


def problems(lazy: Layer) -> tuple[Problem, ...]:
    """What is unclear of a good image with this layer on top."""
    return image(good(), lazy).facts().problems


def annotated(made: Layer, changes: Mapping[str, str]) -> Layer:
    """A layer of which the manifest says something else."""
    return replace(made, annotations={**made.annotations, **changes})


@MAKERS
def test_an_image_with_a_true_table_is_whole(make: Make) -> None:
    """As podman and snapshotters' converters push it."""
    facts = image(good(), make(ELSE)).facts()
    assert facts.problems == ()
    assert facts.judged("python")[0].value["version"] == "3.6.8"


@MAKERS
def test_a_table_without_annotations_must_be_true_too(make: Make) -> None:
    """A snapshotter that does not verify needs none."""
    assert problems(replace(make(ELSE), annotations={})) == ()
    assert problems(replace(make(ELSE, renamed), annotations={}))


def renamed(table: Table) -> None:
    """A lie: the last file is a conda."""
    table[-1]["name"] = "opt/miniconda/bin/conda"


@MAKERS
def test_a_false_table_makes_the_image_unclear(make: Make) -> None:
    """The message says which layer and member, who would be misled and what to do."""
    (problem,) = problems(make(ELSE, renamed))
    assert (problem.reason, problem.index) == ("contents-table", 1)
    for part in ("layer 1", "member 'opt/else'", "podman", "push the layer again"):
        assert part in problem.message


@pytest.mark.parametrize(
    "said",
    [
        {CHECKSUM: NO_DIGEST},
        {CHECKSUM: "SHA256:" + "0" * 64},
        {POSITION: "8:10:10:1"},
        {POSITION: " "},
        {OLD_POSITION: "8:10:10:1"},
        {TOC_DIGEST: NO_DIGEST},
        {TAR_SPLIT: "8:10:10"},
        {UNPACKED: NO_DIGEST},
        {SIZE: "1"},
        {"io.github.containers.zstd-chunked.new": "1"},
        {"containerd.io/snapshot/nydus-bootstrap": "true"},
    ],
    ids=lambda said: next(iter(said)).rpartition("/")[2] + "=" + next(iter(said.values()))[:10],
)
def test_an_annotation_must_name_the_layers_own_table(said: dict[str, str]) -> None:
    """Readers follow the annotation, not the footer; what a snapshotter does with an unknown one nobody knows."""
    (problem,) = problems(annotated(zstd_chunked(ELSE), said))
    assert problem.reason == "contents-table"
    assert next(iter(said)) in problem.message


def test_a_place_that_is_written_otherwise_is_another() -> None:
    """Go reads numbers up to where they end: what follows, and signs, might mean more to somebody."""
    made = zstd_chunked(ELSE)
    for written in (made.annotations[POSITION] + ":9", "+" + made.annotations[POSITION]):
        assert problems(annotated(made, {POSITION: written}))


@pytest.mark.parametrize("name", [CHECKSUM, POSITION, TOC_DIGEST], ids=["checksum", "position", "toc"])
def test_a_layer_without_a_table_cannot_have_one_named(name: str) -> None:
    """What the annotation names is nothing that this layer ends with."""
    (problem,) = problems(annotated(layer(*ELSE), {name: NO_DIGEST}))
    assert "no table of contents" in problem.message


def test_a_table_of_the_other_kind_cannot_be_named() -> None:
    """podman would read an eStargz layer as zstd:chunked."""
    made = estargz(ELSE)
    assert problems(annotated(made, {CHECKSUM: made.annotations[TOC_DIGEST]}))


def test_snapshotters_name_a_zstd_table_by_its_json() -> None:
    """Their converter adds its own annotation to podman's."""
    made = zstd_chunked(ELSE)
    assert problems(annotated(made, {TOC_DIGEST: json_digest(made), SIZE: size(made)})) == ()


def json_digest(made: Layer) -> str:
    """The name of a zstd:chunked table's JSON."""
    offset, length, *_ = (int(number) for number in made.annotations[POSITION].split(":"))
    return sha256(zstd.decompress(made.blob[offset : offset + length]))


def size(made: Layer) -> str:
    """Bytes of the uncompressed layer."""
    return str(len(zstd.decompress(made.blob)))


def test_other_annotations_say_nothing_of_a_table() -> None:
    """What builders write beside is left alone."""
    assert (
        problems(annotated(layer(*ELSE), {"org.opencontainers.image.title": "x", "containerd.io/uncompressed": "y"}))
        == ()
    )
