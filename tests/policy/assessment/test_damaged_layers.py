"""A layer that an inspection worker finds to be damaged is set aside, as every other reader does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from policy.results.sqlite_store import FILE as RESULTS
from policy.state import State
from registry.oci.digest import Digest
from registry.oci.errors import BlobUnknown
from registry.storage.disk.layout import Layout
from tests.policy.images_made import good, image, layer
from tests.policy.lab import READER, TEAM, Lab, open_lab
from tests.registry.damages import flipped

MADE = image(*good().layers, layer({"large": "x" * 300_000}))
DIGEST = Digest.of(MADE.layers[1])


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A store that nobody has looked into, with an image of which a byte of a layer has turned."""
    with open_lab(tmp_path / "data") as before:
        before.pushed(MADE)
    for file in (tmp_path / "data").glob(f"{RESULTS}*"):
        file.unlink()
    flipped(Layout(tmp_path / "data").blob(DIGEST))
    with open_lab(tmp_path / "data") as opened:
        yield opened


def test_it_is_set_aside(lab: Lab) -> None:
    """Told of, and handed out to nobody."""
    assert lab.verdict(MADE.digest).state is State.INCONCLUSIVE
    assert [item.digest for item in lab.storage.quarantine.held()] == [DIGEST]
    with pytest.raises(BlobUnknown):
        lab.run(lab.blobs.pull(READER, TEAM, DIGEST))


def test_a_push_heals_it(lab: Lab) -> None:
    """What the worker saw is not what the layer is: it is looked into again."""
    assert lab.verdict(MADE.digest).state is State.INCONCLUSIVE
    lab.pushed(MADE)
    assert lab.verdict(MADE.digest).state is State.CLEARED
    assert list(lab.storage.quarantine.held()) == []
