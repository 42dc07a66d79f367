"""Exemptions: what they cover, when they end, and every door that follows."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policy.enforcement.exemptions import Exemption, exempted
from policy.enforcement.operator_file import FILE, change_orders
from policy.rules.findings import Finding, Result
from registry.oci.digest import Digest
from registry.oci.errors import Denied
from tests.policy.images_made import bad
from tests.policy.lab import (
    READER,
    TEAM,
    V1,
    Clock,
    Lab,
    open_lab,
)

END = 1_000_000.0
EXEMPTION = Exemption("ab12", "team/*", "", "python-version", "ann", "lab week", END)
FAIL = Finding("python-version", Result.FAIL, "Python 3.7.0 found")


def excuses(exemption: Exemption, *findings: Finding, now: float = END - 1) -> bool:
    """Whether the exemption lets an image with these findings through."""
    return bool(exempted((exemption,), "team/app", "sha256:1", findings, now))


@pytest.mark.parametrize(
    ("change", "covers"),
    [
        ({}, True),
        ({"repositories": "*"}, True),
        ({"repositories": "lab/*"}, False),
        ({"rule": "*"}, True),
        ({"rule": "os-version"}, False),
        ({"digest": "sha256:1"}, True),
        ({"digest": "sha256:2"}, False),
    ],
)
def test_what_it_covers(change: dict[str, Any], covers: bool) -> None:
    """Repository, digest and rule must all match."""
    assert excuses(replace(EXEMPTION, **change), FAIL) is covers


@pytest.mark.parametrize(("now", "holds"), [(END - 1, True), (END, False), (END + 1, False)])
def test_it_ends_at_its_moment(now: float, holds: bool) -> None:
    """Before its end it holds, from then on it does not."""
    assert excuses(EXEMPTION, FAIL, now=now) is holds


def test_every_failure_needs_one() -> None:
    """A second failure that is not covered keeps the door shut."""
    assert not excuses(EXEMPTION, FAIL, Finding("os-version", Result.FAIL, "Debian 9 found"))


def test_an_error_is_never_exempted() -> None:
    """What could not be evaluated is not let through by anybody."""
    assert not excuses(replace(EXEMPTION, rule="*"), FAIL, Finding("inspection", Result.ERROR, "damaged"))


def test_nothing_to_excuse_is_no_exemption() -> None:
    """Without a failure there is no warning."""
    assert not excuses(EXEMPTION, Finding("python-version", Result.PASS, "fine"))


@pytest.fixture
def clock() -> Clock:
    """One second before the exemption ends."""
    return Clock(END - 1)


@pytest.fixture
def lab(tmp_path: Path, clock: Clock) -> Iterator[Lab]:
    """A registry with a bad image and an exemption for it."""
    change_orders(tmp_path / FILE, lambda orders: orders.with_exemption(EXEMPTION))
    with open_lab(tmp_path, clock) as opened:
        opened.pushed(bad())
        yield opened


def open_doors(lab: Lab) -> set[str]:
    """The doors through which a reader gets the image."""
    found = set()
    works: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "tag": lambda: lab.manifests.pull(READER, TEAM, V1),
        "digest": lambda: lab.manifests.pull(READER, TEAM, bad().digest),
        "blob": lambda: lab.blobs.pull(READER, TEAM, Digest.of(bad().config)),
    }
    for door, work in works.items():
        try:
            lab.run(work())
        except Denied:
            continue
        found.add(door)
    if lab.run(lab.gate.standing(READER, TEAM, bad().digest)).decision.allowed:
        found.add("reference")
    return found


def test_all_doors_close_together(lab: Lab, clock: Clock) -> None:
    """A second before the end all are open; at the end none is, and caches hear of it."""
    assert open_doors(lab) == {"tag", "digest", "blob", "reference"}
    before = lab.gate.generation()
    clock.now = END
    assert lab.gate.generation() != before
    assert open_doors(lab) == set()
