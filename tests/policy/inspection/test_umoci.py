"""Composing layers gives what umoci unpacks: a sample of stacks, on a real file system."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from policy.inspection.image.ambiguous_links import roots
from policy.inspection.image.merged_root import RootUnclear
from registry.oci.digest import Digest
from tests.corpus.builders import (
    MANIFEST,
    TAR,
    Image,
    as_json,
    image,
    layer,
)
from tests.corpus.tarballs import (
    Entry,
    file,
    folder,
    hard_link,
    link,
    opaque,
    whiteout,
)
from tests.policy.inspection.flattening import CannotUnpack, flattened
from tests.policy.inspection.layer_stacks import PATHS, everything, inspected

pytestmark = pytest.mark.client("umoci")
SAMPLE = 25


def stack(chance: random.Random) -> list[list[Entry]]:
    """A stack that unpackers take: whiteouts and opaque marks first, so that their order is no question.

    Nothing is executable: umoci ignores the mode of a hard link, which docker, containerd and podman do not.
    """
    number = 0
    made = []
    for _ in range(chance.randint(2, 4)):
        entries: dict[str, Entry] = {}
        for path in chance.sample(PATHS, chance.randint(1, 6)):
            number += 1
            kinds = [
                file(path, f"VERSION_ID={number}\n"),
                folder(path),
                link(path, chance.choice(["", "/", "../"]) + chance.choice(PATHS)),
                hard_link(path, chance.choice(PATHS)),
            ]
            entries[path] = chance.choice(kinds)
        gone = [whiteout(path) for path in chance.sample(PATHS, 2) if path not in entries]
        gone += [opaque(path) for path in chance.sample(PATHS[:12], 1) if chance.random() < 0.3]
        made.append([*gone, *(entries[path] for path in sorted(entries))])
    return made


def stacks(count: int) -> list[list[list[Entry]]]:
    """So many stacks that can be unpacked."""
    chance = random.Random(4)  # noqa: S311
    found: list[list[list[Entry]]] = []
    while len(found) < count:
        made = stack(chance)
        try:
            flattened(made, patient=False)
            roots(inspected(made))
        except (CannotUnpack, RootUnclear):
            continue
        found.append(made)
    return found


def write_layout(folder_: Path, made: Image) -> None:
    """An OCI image layout with one image, tagged `v1`."""
    blobs = folder_ / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    manifest = made.manifest()
    for content in (*made.blobs().values(), manifest):
        (blobs / Digest.of(content).encoded).write_bytes(content)
    entry = {"mediaType": MANIFEST, "digest": str(Digest.of(manifest)), "size": len(manifest)}
    named = {**entry, "annotations": {"org.opencontainers.image.ref.name": "v1"}}
    (folder_ / "oci-layout").write_bytes(as_json({"imageLayoutVersion": "1.0.0"}))
    (folder_ / "index.json").write_bytes(as_json({"schemaVersion": 2, "manifests": [named]}))


def on_disk(root: Path) -> dict[str, tuple[str, str]]:
    """Path -> kind and content of everything below a directory, directories aside."""
    found = {}
    for parent, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(parent) / name
            key = str(path.relative_to(root))
            if path.is_symlink():
                found[key] = ("link", str(path.readlink()))
            elif path.is_file():
                kind = "program" if path.stat().st_mode & 0o111 else "file"
                found[key] = (kind, path.read_text())
    return found


@pytest.mark.parametrize("made", stacks(SAMPLE), ids=range(SAMPLE))
def test_stack_equals_what_umoci_unpacks(made: list[list[Entry]], tmp_path: Path) -> None:
    """Links in parents are followed by umoci as in the last reading."""
    write_layout(tmp_path / "layout", image(*(layer(*entries, media_type=TAR) for entries in made)))
    bundle = tmp_path / "bundle"
    command = ["umoci", "unpack", "--rootless", "--image", f"{tmp_path}/layout:v1", str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    layers = inspected(made)
    wanted = on_disk(bundle / "rootfs")
    assert everything(roots(layers)[-1], layers, wanted) == wanted
