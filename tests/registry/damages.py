"""Ways in which what is on a disk stops being what was written."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def _rewrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(0o444)


def flipped(path: Path) -> None:
    """One bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    _rewrite(path, bytes(content))


def cut(path: Path) -> None:
    """The end is missing."""
    _rewrite(path, path.read_bytes()[:100])


def emptied(path: Path) -> None:
    """Only the name is left."""
    _rewrite(path, b"")


def grown(path: Path) -> None:
    """Something stands behind the end."""
    _rewrite(path, path.read_bytes() + b"more")


def change_manifest(data: Path, statement: str, values: tuple[Any, ...]) -> None:
    """Change rows behind the registry's back, as a damaged page would."""
    with closing(sqlite3.connect(data / "registry.db")) as database, database:
        database.execute(statement, values)
