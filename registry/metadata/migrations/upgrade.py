"""Runs the revisions that a database lacks. Imported only when there are any: Alembic is slow to import.

The revisions are imported with this module, and no file is read later: a command that acts as the owner of a data
folder may not be able to read the program any more.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from registry.metadata.migrations import versions

_MAKE = "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
_FORGET = "DELETE FROM alembic_version"
_NOTE = text("INSERT INTO alembic_version VALUES (:revision)")


def _imported() -> tuple[ModuleType, ...]:
    names = sorted(module.name for module in iter_modules(versions.__path__))
    return tuple(import_module(f"{versions.__name__}.{name}") for name in names)


REVISIONS = _imported()
"""Each with its `revision`, `down_revision` and `upgrade`, the oldest first."""
NEWEST: str = REVISIONS[-1].revision


def upgrade(connection: Connection, until: str = NEWEST) -> None:
    """Bring the schema to a revision, the newest, within the connection's transaction."""
    connection.exec_driver_sql(_MAKE)
    context = MigrationContext.configure(connection)
    before = context.get_current_revision() or ""
    with Operations.context(context):
        for each in REVISIONS:
            if before < each.revision <= until:
                each.upgrade()
    connection.exec_driver_sql(_FORGET)
    connection.execute(_NOTE, {"revision": until})
