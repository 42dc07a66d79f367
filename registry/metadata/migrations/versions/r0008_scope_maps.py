"""Scope maps: rights by repository, and the principals that have them in the place of a role."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add an empty table; principals have their roles."""
    op.create_table(
        "scope_maps",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("grants", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_scope_maps"),
    )
    op.add_column("principals", sa.Column("scope_map", sa.String(length=64), nullable=True))
