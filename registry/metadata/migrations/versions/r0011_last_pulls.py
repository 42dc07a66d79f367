"""When tags and manifests were last pulled, by whom."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add an empty table: pulls of before were not recorded."""
    op.create_table(
        "last_pulls",
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=136), nullable=False),
        sa.Column("principal", sa.String(length=36), nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "name", "principal", name="pk_last_pulls"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repositories.id"], name="fk_last_pulls_repository_id", ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
