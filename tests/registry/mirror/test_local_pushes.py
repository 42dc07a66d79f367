"""Pushes to repositories that have an upstream: refused, or stronger than it, whatever came first."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from tests.other_registries import OtherRegistry
from tests.registry.mirror.site import Site, code, mirrored
from tests.repository import EMPTY_JSON, Pushed


@pytest.fixture
def winning(tmp_path: Path, upstream: OtherRegistry) -> Iterator[Site]:
    """A registry whose own pushes win; tags are old at once."""
    with mirrored(tmp_path, upstream, local_pushes="win", ttl_seconds=0) as made:
        yield made


def test_pushes_are_refused(shared: Site) -> None:
    """By default nobody pushes to what an upstream fills: no blob, no mount, no manifest."""
    repository = shared.here
    answers = [
        repository.client.post(repository.url("blobs/uploads/")),
        repository.client.post(repository.url("blobs/uploads/"), params={"mount": "sha256:" + "0" * 64}),
        repository.put("v1", EMPTY_JSON),
    ]
    assert [(answer.status_code, code(answer)) for answer in answers] == [(403, "DENIED")] * 3
    assert "takes no pushes" in answers[0].text


def test_other_repositories_take_pushes(shared: Site) -> None:
    """Outside the prefix nothing has changed."""
    assert shared.here.client.post("/v2/team/app/blobs/uploads/").status_code == 202


def order(site: Site, tag: str, steps: tuple[str, ...]) -> tuple[Pushed, bytes]:
    """Do these in their order; returns what was pushed here, and what is pulled in the end."""
    own = None
    for step in steps:
        if step == "there":
            site.push(tag)
        elif step == "pull":
            site.here.get(f"manifests/{tag}")
        else:
            own = site.here.image(tag, site.here.blob(tag.encode()))
    assert own is not None
    return own, site.here.get(f"manifests/{tag}").content


@pytest.mark.parametrize("steps", sorted(set(permutations(("there", "there", "pull", "here")))), ids="-".join)
def test_a_local_push_wins_in_any_order(winning: Site, steps: tuple[str, ...]) -> None:
    """A tag that was pushed here stays what it was, whatever the upstream had before or gets later."""
    own, found = order(winning, "-".join(steps), steps)
    assert found == own.raw


def test_a_local_push_of_the_same_image_wins(winning: Site) -> None:
    """Also when the upstream had the same image there, and moves later."""
    image, layer = winning.push("same")
    winning.here.get("manifests/same")
    winning.here.blob(layer.raw)
    winning.here.put("same", image.raw)
    winning.push("same")
    assert winning.here.get("manifests/same").content == image.raw


def test_a_local_tag_that_is_deleted(winning: Site) -> None:
    """It makes way for the upstream's again."""
    winning.here.image("gone", winning.here.blob(b"gone"))
    image, _ = winning.push("gone")
    winning.here.delete("manifests/gone")
    assert winning.here.get("manifests/gone").content == image.raw
