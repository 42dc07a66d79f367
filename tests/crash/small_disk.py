"""A real file system of a few MiB, to be filled to the last block."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILLER = "filler"


@contextmanager
def small_disk(folder: Path, kind: str, mebibytes: int = 12) -> Iterator[Path]:
    """Mount an empty one until the block ends; for root.

    Args:
        folder: where its image and its mount point are made.
        kind: tmpfs or ext4.
        mebibytes: its size.
    """
    place = folder / "disk"
    place.mkdir()
    if kind == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0755", "tmpfs", str(place)]
    else:
        image = folder / "image"
        with image.open("wb") as file:
            file.truncate(mebibytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
        command = ["mount", "-o", "loop", str(image), str(place)]
    subprocess.run(command, check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path, left: int = 0) -> None:
    """Take every block that is free, but for some bytes; whoever wants room back removes the file."""
    with (place / FILLER).open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 512):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
        if left:
            file.truncate(file.tell() - left)
