"""Images with more layers than anybody stacks: all count, and others have their turn while they are looked up."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from policy.assessment.manifest_verdicts import facts_of_subject
from policy.results.sqlite_store import FILE as RESULTS
from policy.state import State
from registry.oci.digest import Digest
from registry.storage.disk.layout import Layout
from tests.policy.images_made import good, image, layer
from tests.policy.lab import TEAM, Lab, open_lab

MANY = 600
AT_ONCE = 160


async def most_tasks(work: Coroutine[Any, Any, object]) -> int:
    """How many tasks stood in the event loop at the most while something was done."""
    most, doing = 0, asyncio.ensure_future(work)
    while not doing.done():
        most = max(most, len(asyncio.all_tasks()))
        await asyncio.sleep(0)
    await doing
    return most


def test_a_layer_that_is_named_many_times_counts_as_it_is(lab: Lab) -> None:
    """The files are those of a good image."""
    made = image(*good().layers, *[layer({})] * MANY)
    lab.pushed(made)
    assert lab.verdict(made.digest).state is State.CLEARED


def test_a_missing_layer_is_told_of_at_each_of_its_places(tmp_path: Path) -> None:
    """It is looked for once."""
    made = image(layer({"a": ""}), *good().layers, layer({"a": ""}))
    with open_lab(tmp_path) as before:
        before.pushed(made)
    for file in (*tmp_path.glob(f"{RESULTS}*"), Layout(tmp_path).blob(Digest.of(made.layers[0]))):
        file.unlink()
    with open_lab(tmp_path) as lab:
        subject = lab.run(lab.gate.inspector.subject(TEAM, made.digest, wait=60))
        assert subject is not None
        places = [problem.index for problem in facts_of_subject(subject).problems]
    assert places == [0, len(made.layers) - 1]


def test_few_layers_are_looked_up_at_once(lab: Lab) -> None:
    """Of two hundred, some after the others."""
    made = image(*good().layers, *(layer({f"file{number}": ""}) for number in range(200)))
    assert lab.run(most_tasks(lab.push(made))) < AT_ONCE
