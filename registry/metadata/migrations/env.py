"""Alembic runs this to learn where to migrate: the connection that `upgrade` has put into its configuration."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
