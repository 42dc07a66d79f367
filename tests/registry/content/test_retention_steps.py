"""A run of retention in steps: what goes together, and what happens between two of them."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from registry.content.retention import Marks, Retention, RetentionReport
from registry.content.retention_plan import Unkept
from registry.metadata import holds, last_pulls
from registry.metadata.holds import Hold
from registry.metadata.last_pulls import Pull
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag
from tests.registry.open_services import REPOSITORY, OpenServices, descriptor, image, index, open_services

LATER = 1e10
"""A time at which everything here is old."""
OLD = ("old1", "old2", "old3")


@pytest.fixture(name="services")
def _services(tmp_path: Path) -> Iterator[OpenServices]:
    with open_services(tmp_path) as services:
        yield services


def push(services: OpenServices, tag: str, **members: Any) -> Digest:
    """Push an image that no other is alike."""
    return services.run(services.push_image(Tag(tag), [tag.encode()], **members)).digest


def run(
    services: OpenServices,
    keep: dict[str, Any],
    meanwhile: Callable[[int], Awaitable[object]] | None = None,
    step: int = 2,
) -> tuple[RetentionReport, list[list[str]]]:
    """Make a plan and run it; `meanwhile` is done each time that a repository was read. Returns the steps as well."""
    steps: list[list[str]] = []
    reads = 0

    async def of(_name: RepositoryName, digests: Sequence[Digest]) -> dict[Digest, list[str]]:
        nonlocal reads
        reads += 1
        if meanwhile is not None:
            await meanwhile(reads)
        return {digest: ["refused"] for digest in digests}

    def told(_run: str, gone: Sequence[Unkept]) -> None:
        steps.append([item.tag or item.digest for item in gone])

    rule = {"keep": [keep, {"marked": ["cleared"]}], "else": "delete"}
    services.configure(retention={"step": step, "rules": [rule]})
    work = Retention(services.metadata, services.settings, Marks(frozenset({"cleared"}), of), lambda: 1.0)
    return services.run(work.run(services.run(work.plan(LATER)), told, whole=False)), steps


def test_a_step_is_of_a_few(services: OpenServices) -> None:
    """A tag goes with its manifest."""
    gone = {tag: push(services, tag) for tag in OLD}
    report, steps = run(services, {"tags": ["v*"]})
    assert sorted(steps) == sorted([tag, digest] for tag, digest in gone.items())
    assert (len(report.removed), report.spared) == (6, ())


def test_what_belongs_together_goes_together(services: OpenServices) -> None:
    """An index with its parts, whatever a step is; and referrers, tagged by a digest or not, before their subject."""
    part, subject = push(services, "part"), push(services, "subject")
    top = services.run(services.push_manifest(index(image([b"part"])), Tag("top"))).digest
    referrer = services.run(services.push_manifest(image((), subject=descriptor(image([b"subject"]))))).digest
    signature = push(services, subject.replace(":", "-") + ".sig")
    _, steps = run(services, {"tags": ["v*"]}, step=1)
    places = {name: number for number, step in enumerate(steps) for name in step}
    assert places["part"] == places["top"] == places[part] == places[top]
    assert places[signature] < places[referrer] < places[subject] == places["subject"]


def test_a_push_between_two_steps_stops_nothing(services: OpenServices) -> None:
    """While the rest of the plan is what comes out."""
    for tag in OLD:
        push(services, tag)
    report, _ = run(services, {"tags": ["v*"]}, lambda reads: services.push_image(Tag(f"v{reads}"), [b"new"]))
    assert (len(report.removed), report.spared) == (6, ())


@pytest.mark.parametrize("change", ["hold", "push", "pull"])
def test_what_has_changed_is_spared(services: OpenServices, change: str) -> None:
    """Nothing is removed of a repository of which something else comes out by now."""
    digests = [push(services, tag) for tag in OLD]
    changes: dict[str, Callable[[], Awaitable[object]]] = {
        "hold": lambda: services.metadata.write(holds.place, Hold("w", REPOSITORY, digests[1], "it is needed", 1.0)),
        "push": lambda: services.push_image(Tag("old9"), [b"old1"]),
        "pull": lambda: services.metadata.write(last_pulls.note, [Pull(REPOSITORY, "old1", "", LATER)]),
    }

    async def once(reads: int) -> None:
        if reads == 2:  # the first is for the plan
            await changes[change]()

    report, steps = run(services, {"pulled_days": 1}, once)
    assert (steps, report.removed, len(report.spared)) == ([], (), 6)
