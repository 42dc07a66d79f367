"""Runs the revisions that a database lacks. Imported only when there are any: Alembic is slow to import."""

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

HERE = Path(__file__).parent


def revisions() -> ScriptDirectory:
    """The revisions known to this basegate."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision within the connection's transaction."""
    script = revisions()

    def steps(revision: tuple[str, ...], _context: MigrationContext) -> list[RevisionStep]:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=False, render_as_batch=True)
        environment.run_migrations()
