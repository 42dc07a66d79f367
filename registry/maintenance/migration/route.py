"""Where a registry moves: between its data folder and an object store, a PostgreSQL database, or both.

The data folder stays the registry's own either way: keys, audit log and records do not move.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from registry.errors import BasegateError
from registry.storage.objects.address import parse_store_url

_STORE = re.compile(r"(s3|az|gs)://")
_DATABASE = "postgresql://"
_NEEDED = "needs DATA, s3://BUCKET/PREFIX, az://CONTAINER/PREFIX, gs://BUCKET/PREFIX or postgresql://USER@HOST/NAME"


class RouteRefused(BasegateError):
    """What was typed names no way from a data folder to an object store or a database, or back."""


@dataclass(frozen=True, slots=True)
class _Places:
    """What is named on one side; "" and `None` for what is not."""

    folder: Path | None
    store: str
    database: str

    @classmethod
    def parse(cls, words: Sequence[str], side: str) -> Self:
        """Tell them apart."""
        stores = [word for word in words if _STORE.match(word)]
        databases = [word for word in words if word.startswith(_DATABASE)]
        folders = [word for word in words if word not in {*stores, *databases}]
        for store in stores:
            parse_store_url(store)  # before it is recorded: it may hold keys
        if any("://" in word for word in folders):
            # It may hold a password, and is not told.
            raise RouteRefused(f"{side} names something else: {_NEEDED}")
        if max(len(stores), len(databases), len(folders)) > 1:
            raise RouteRefused(f"{side} names two of a kind: one data folder, or one store and one database at most")
        return cls(Path(folders[0]) if folders else None, "".join(stores), "".join(databases))


@dataclass(frozen=True, slots=True)
class Route:
    """One way of a registry.

    Attributes:
        data: its data folder.
        is_outward: whether it moves out of the folder.
        store: URL of the object store whose blobs move; "": blobs stay where they are.
        database: URL of the database whose rows move; "": rows stay where they are.
    """

    data: Path
    is_outward: bool
    store: str
    database: str

    @classmethod
    def parse(cls, sources: Sequence[str], targets: Sequence[str]) -> Self:
        """The way between what is named.

        Raises:
            RouteRefused: not exactly one side is a data folder, and the other what it moves to or from.
        """
        here, there = _Places.parse(sources, "--from"), _Places.parse(targets, "--to")
        for folder, urls, is_outward in ((here, there, True), (there, here, False)):
            if folder.folder and not (folder.store or folder.database or urls.folder):
                if not (urls.store or urls.database):
                    break
                return cls(folder.folder, is_outward, urls.store, urls.database)
        raise RouteRefused("one of --from and --to is the data folder alone, the other a store, a database, or both")

    def flags(self, *, arrived: bool) -> dict[str, object]:
        """The settings that say where everything is before the move, or after it; others count as they are."""
        is_outside = self.is_outward == arrived
        named = {"storage.url": self.store, "metadata.url": self.database}
        return {"data": self.data} | {name: url if is_outside else "" for name, url in named.items() if url}
