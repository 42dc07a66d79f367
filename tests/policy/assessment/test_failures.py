"""An inspection that was kept from its work is no verdict: it is done again."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

from policy.assessment.failures import Failures
from policy.assessment.inspector import CURRENT
from policy.results import layers as inspected_layers
from policy.results.manifests import InspectedManifest, Kind
from policy.state import State
from registry.oci.digest import Digest
from tests.policy.images_made import good
from tests.policy.lab import Lab, open_lab


def kill_workers(lab: Lab, stop: threading.Event) -> None:
    """Kill every worker as soon as it is there."""
    while not stop.is_set():
        for pid in lab.gate.inspector.workers.pids:
            assert pid, "process 0 would be the group of these tests"
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_workers_killed_from_outside_are_no_lasting_verdict(tmp_path: Path) -> None:
    """The image is inconclusive as long as that goes on, and cleared the next time somebody asks; nothing is kept."""
    with open_lab(tmp_path) as lab:
        stop = threading.Event()
        killer = threading.Thread(target=kill_workers, args=(lab, stop))
        killer.start()
        pushed = lab.pushed(good())
        assert lab.verdict(pushed.digest).state is State.INCONCLUSIVE
        stop.set()
        killer.join()
        layers = [Digest.of(content) for content in good().blobs]
        assert {lab.results.read(inspected_layers.find, layer, CURRENT) for layer in layers} == {None}
        lab.gate.inspector.failures = Failures()
        assert lab.verdict(pushed.digest).state is State.CLEARED


def failed(*, final: bool = False) -> InspectedManifest:
    """An image whose layer could not be read."""
    return InspectedManifest(
        "sha256:1", Kind.IMAGE, "a@1", "e", final, b'{"problems":[{"reason":"inspection-failed"}]}'
    )


def test_it_is_tried_again_ever_more_seldom() -> None:
    """At once, then after one second, two, four."""
    now = [0.0]
    failures = Failures(lambda: now[0])
    tried = [second for second in range(20) if not now.__setitem__(0, float(second)) and failures.is_due(failed())]
    assert tried == [0, 1, 3, 7, 15]


def test_what_is_final_is_not_tried_again() -> None:
    """Nor what failed for another reason."""
    assert not Failures().is_due(failed(final=True))
    assert not Failures().is_due(InspectedManifest("sha256:1", Kind.IMAGE, "a@1", "e", final=False, body=b"{}"))
