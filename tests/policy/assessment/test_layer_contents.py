"""What is told of the files in layers: from stored inspections, and why not where there is none."""

import asyncio
from pathlib import Path

from policy.assessment.inspector import CURRENT
from policy.assessment.layer_contents import Contents, LayerContents
from policy.inspection.facts import Problem
from policy.inspection.layer.path_table import Table
from policy.inspection.layer.report import LayerInspection
from policy.inspection.worker.job import Inspected
from policy.results import layers as inspected_layers
from policy.results.sqlite_store import SqliteResults
from registry.oci.digest import Digest

DIGEST = Digest.of(b"a layer")
READ = LayerInspection(DIGEST, (), table=Table.of({b"a": b"f5"}))


def told(folder: Path, *kept: tuple[str, Inspected], seconds: float = 60.0) -> Contents:
    """What is told of a layer that was inspected so by these detectors."""
    results = SqliteResults(folder / "policy.db")
    for detectors, inspected in kept:
        results.write(inspected_layers.save, DIGEST, detectors, inspected)

    async def asked() -> Contents:
        return await LayerContents(results, seconds).of(DIGEST)

    found = asyncio.run(asked())
    results.close()
    return found


def inspected(body: bytes = READ.to_bytes(), failure: str = "") -> Inspected:
    """The result of a worker."""
    return Inspected(body, failure, 1)


def test_files_of_an_inspection(tmp_path: Path) -> None:
    """By whatever detectors it was made: every one has all paths."""
    found = told(tmp_path, ("earlier@1", inspected()))
    assert found.largest is not None
    assert found.largest.files == ((b"a", 5),)


def test_an_inspection_counts_before_a_failure(tmp_path: Path) -> None:
    """Whichever came last."""
    assert told(tmp_path, ("earlier@1", inspected()), (CURRENT, inspected(b"", "it died"))).largest is not None


def test_what_was_never_looked_into_is_said(tmp_path: Path) -> None:
    """Nor what an earlier format has."""
    assert "not looked into" in told(tmp_path / "none").why
    assert "not looked into" in told(tmp_path / "old", (CURRENT, inspected(b"BGL1"))).why


def test_what_could_not_be_read_is_said(tmp_path: Path) -> None:
    """In the words of its problem."""
    broken = LayerInspection(DIGEST, (), problem=Problem("damaged-layer", "it ends too early"))
    assert told(tmp_path / "problem", (CURRENT, inspected(broken.to_bytes()))).why == "it ends too early"
    assert told(tmp_path / "failure", (CURRENT, inspected(b"", "it died"))).why == "it died"


def test_nobody_waits_for_long(tmp_path: Path) -> None:
    """Who asks again has it."""
    assert told(tmp_path, (CURRENT, inspected()), seconds=0.0) == Contents(None)
