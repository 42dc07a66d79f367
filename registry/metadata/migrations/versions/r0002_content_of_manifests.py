"""Manifests keep their bytes: those pushed before stay in the blob store."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add an empty column."""
    op.add_column("manifests", sa.Column("content", sa.LargeBinary(), nullable=True))
