"""What is in a real layer: files that compress as those of an installed Python do, made from fixed seeds."""

import random
import tarfile
from collections.abc import Iterator
from functools import cache
from itertools import count

POOL = 1 << 20
"""Bytes of text that files are cut from; far more than the window that gzip looks back through."""

FILE = 32 << 10
"""Bytes of a file in the middle: half of all are smaller than seven tenths of it, a few are ten times as large."""

NOISY = 12
"""One file in so many does not compress, like what is packed already."""

PREFIX = "opt/miniconda"
CONDA, PYTHON = "4.5.12", "3.6.8"


def essentials() -> dict[str, bytes]:
    """The files by which a policy knows the image: an Ubuntu, a Conda and its Python."""
    record = '{{"name": "{0}", "version": "{1}", "build": "{2}"}}'.format
    texts = {
        "etc/os-release": 'ID=ubuntu\nVERSION_ID="16.04"\n',
        f"{PREFIX}/bin/conda": f"#!/{PREFIX}/bin/python\n",
        f"{PREFIX}/bin/python": "\x7fELF",
        f"{PREFIX}/bin/python3.6": "\x7fELF",
        f"{PREFIX}/conda-meta/history": "",
        f"{PREFIX}/conda-meta/conda-{CONDA}-py36_0.json": record("conda", CONDA, "py36_0"),
        f"{PREFIX}/conda-meta/python-{PYTHON}-h0_0.json": record("python", PYTHON, "h0_0"),
    }
    return {path: text.encode() for path, text in texts.items()}


def member(name: str, body: bytes) -> bytes:
    """One file of a tar archive, padded."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(body), 0o755
    return entry.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % 512)


def members(chance: random.Random, largest: int) -> Iterator[bytes]:
    """Files of all sizes up to `largest` bytes, without end, as members of a tar archive."""
    pool = _text()
    for number in count():
        size = min(int(chance.expovariate(1 / FILE)) + 1, POOL // 2, largest)
        start = chance.randrange(POOL - size)
        body = chance.randbytes(size) if number % NOISY == 0 else pool[start : start + size]
        folder = f"{PREFIX}/lib/python3.6/site-packages/package_{number // 40}/module_{number // 8 % 5}"
        yield member(f"{folder}/file_{number}.py", body)


@cache
def _text() -> bytes:
    """Lines of made-up words, some far more frequent than others: gzip makes a third of it."""
    chance = random.Random("basegate bench text")  # noqa: S311 - a fixed seed is the point
    letters = "etaoinshrdlucmfwypvbgkjqxz_"
    words = ["".join(chance.choices(letters, k=chance.randrange(2, 12))) for _ in range(4000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    drawn = iter(chance.choices(words, weights, k=POOL // 4))
    lines: list[str] = []
    size = 0
    while size < POOL:
        line = "    " * chance.randrange(4) + " ".join(next(drawn) for _ in range(chance.randrange(3, 10))) + "\n"
        lines.append(line)
        size += len(line)
    return "".join(lines).encode()[:POOL]
