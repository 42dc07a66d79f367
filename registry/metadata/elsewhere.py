"""The mark of a data folder whose rows are in PostgreSQL: it names the store, so that folder and rows stay together.

And the mark of a folder that is about to have its content elsewhere, or here again (`registry.maintenance.migration`).
"""

import json
from pathlib import Path

from registry.errors import BasegateError

MARK = "rows.json"
MIGRATION = "migration.json"
"""There from when a migration switches over until it has."""


class RowsElsewhere(BasegateError):
    """The rows of a data folder are in PostgreSQL, and the settings do not say where."""


class MigrationUnfinished(BasegateError):
    """A migration was interrupted while it switched over."""


def require_settled(data: Path) -> None:
    """Raise MigrationUnfinished where nobody can know yet which content of a folder counts."""
    if (data / MIGRATION).is_file():
        raise MigrationUnfinished(
            f"a migration of {data} was interrupted while it switched over: run the same `basegate migrate` again, "
            "which takes a moment"
        )


def marked(data: Path) -> bool:
    """Whether the rows of a folder are in PostgreSQL."""
    return (data / MARK).is_file()


def store_of(data: Path) -> str:
    """The id of the store that the mark names; "" without a mark. An unreadable mark names no store that there is."""
    try:
        return str(json.loads((data / MARK).read_text(encoding="utf-8"))["store"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError):
        return "unreadable"


def mark_of(store: str) -> bytes:
    """What the mark holds for a store."""
    return json.dumps({"rows": "postgresql", "store": store}).encode()


def require_here(data: Path) -> None:
    """Raise RowsElsewhere where a file of rows would be another store's beside the one in PostgreSQL."""
    if marked(data):
        raise RowsElsewhere(
            f"the rows of {data} are in a PostgreSQL database: name it in metadata.url, or ask a running server "
            "(HOST:PORT); docs/cluster.md"
        )
