"""Which store the rows belong to, and rows that were removed and can be brought back."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the identity, which knows every file there is, and an empty trash."""
    store = op.create_table(
        "store",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("knows_since", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store"),
    )
    op.bulk_insert(store, [{"id": str(uuid.uuid4()), "knows_since": 0.0}])
    op.create_table(
        "trash",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=136), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=255), nullable=False),
        sa.Column("principal", sa.String(length=36), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_trash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trash_time", "trash", ["time"])
