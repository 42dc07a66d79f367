"""Broken layers never crash the inspection, never make its memory grow, and never hide members from another reader.

The short mode runs with all tests; `FUZZ_CASES=1000000` (`make fuzz`) runs the long one.
"""

import io
import os
import random
import resource
import tarfile

from policy.inspection.budgets import Budgets
from policy.inspection.image.compose import compose
from policy.inspection.layer.report import LayerInspection
from policy.inspection.layer.scan import scan_layer
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from tests.corpus.builders import TAR, as_json
from tests.fuzz.cases import archive, blob, seeds

CASES = int(os.environ.get("FUZZ_CASES", "3000"))
SEED = int(os.environ.get("FUZZ_SEED", "20190711"))
SMALL = Budgets(uncompressed_bytes=4 << 20, names_bytes=1 << 20, extension_bytes=1 << 16, body_bytes=1 << 20)
REASONS = {"damaged-layer", "hostile-name", "unsupported-layer", "budget", "path-twice", "whiteout-order"}


def inspect(raw: bytes) -> LayerInspection:
    """One layer, looked into with small budgets."""
    return scan_layer(io.BytesIO(raw), str(Digest.of(raw)), budgets=SMALL)


def composed(found: LayerInspection, size: int) -> bool:
    """Compose an image of this one layer; whether it could be read."""
    config = as_json(
        {"os": "linux", "rootfs": {"diff_ids": [found.diff_id]}, "config": {"Env": ["PATH=/opt/miniconda/bin"]}}
    )
    facts = compose(config, [found], [Descriptor(TAR, Digest(found.digest), size)])
    return not facts.problems


def peak() -> int:
    """The most memory this process has had so far, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_broken_layers_give_an_inspection_or_a_known_problem() -> None:
    """No exception, whatever the bytes; a problem has a known reason and a sentence."""
    chance, good = random.Random(SEED), seeds()  # noqa: S311
    read = 0
    for _ in range(CASES):
        raw = blob(chance, good)
        found = inspect(raw)
        assert found.problem is None or (found.problem.reason in REASONS and found.problem.message)
        read += found.problem is None and composed(found, len(raw))
    assert 0 < read < CASES


def test_memory_stays_flat() -> None:
    """A second round of cases needs no more than the first did, give or take what a collector leaves lying about."""
    chance, good = random.Random(SEED + 1), seeds()  # noqa: S311
    for _ in range(300):
        inspect(blob(chance, good))
    before = peak()
    for _ in range(CASES):
        inspect(blob(chance, good))
    assert peak() - before < 24 * 1024


def test_what_is_read_is_what_tarfile_reads() -> None:
    """Where a broken archive is taken, the standard library's reader finds the same member names in it."""
    chance, good = random.Random(SEED + 2), seeds()  # noqa: S311
    compared = 0
    for _ in range(CASES // 2):
        raw = archive(chance, good)
        found = inspect(raw)
        if found.problem is None and not any(mark in raw for mark in (b"GNU.sparse", b"\0S\0", b".wh.")):
            assert found.members == members_of(raw)
            compared += 1
    assert compared


def members_of(raw: bytes) -> int:
    """How many members tarfile finds; it stops silently at what it does not like."""
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as opened:
        return len(opened.getmembers())
