"""Damaged content of an upstream: it is fetched again at the next pull, as nobody pushes it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from registry.oci.digest import Digest
from tests.other_registries import OtherRegistry
from tests.registry.mirror.site import Site, mirrored
from tests.repository import Pushed


def lose_blob(site: Site, digest: Digest) -> None:
    """Its file is gone, and somebody has noticed."""
    (file,) = (site.live.data / "blobs").rglob(digest.encoded)
    file.unlink()
    assert site.here.get(f"blobs/{digest}").status_code == 404


def spoil_manifest(data: Path, image: Pushed) -> None:
    """Its bytes have turned into others."""
    with closing(sqlite3.connect(data / "registry.db")) as rows:
        changed = rows.execute("UPDATE manifests SET content = ? WHERE digest = ?", (b"{}", image.digest)).rowcount
        rows.commit()
    assert changed == 1


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_lost_layer_comes_again(shared: Site, by: str) -> None:
    """With the image that names it; what is here whole is not fetched again."""
    image, layer = shared.push(f"lost-{by}")
    reference = image.digest if by == "digest" else f"lost-{by}"
    shared.here.get(f"manifests/{reference}")
    lose_blob(shared, layer.digest)
    assert shared.here.get(f"manifests/{reference}").status_code == 200
    assert shared.here.get(f"blobs/{layer.digest}").content == layer.raw
    assert shared.fetched(layer.digest) == 2


def test_a_lost_layer_below_an_index_comes_again(shared: Site) -> None:
    """The child is fetched anew when the index is asked for."""
    layer = shared.there.blob(b"layer of a child")
    child = shared.there.image("", layer)
    entry = child.descriptor | {"platform": {"os": "linux", "architecture": "amd64"}}
    shared.there.index("lost-child", manifests=[entry])
    shared.here.get("manifests/lost-child")
    lose_blob(shared, layer.digest)
    assert shared.here.get("manifests/lost-child").status_code == 200
    assert shared.here.get(f"blobs/{layer.digest}").content == layer.raw


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_damaged_manifest_comes_again(tmp_path: Path, upstream: OtherRegistry, by: str) -> None:
    """The pull that finds the damage says so; the next one has it whole."""
    with mirrored(tmp_path, upstream) as made:
        image, _ = made.push("spoiled")
        made.here.get("manifests/spoiled")
    spoil_manifest(made.live.data, image)
    reference = image.digest if by == "digest" else "spoiled"
    with mirrored(tmp_path, upstream) as made:
        answers = [made.here.get(f"manifests/{reference}") for _ in range(2)]
    assert [answers[0].status_code, answers[1].content] == [404, image.raw]
