"""Uploads that nodes share."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add empty tables: uploads in progress were those of a data folder before, and stay there."""
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("principal", sa.String(length=36), nullable=False),
        sa.Column("started", sa.Float(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.Float(), nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("digest", sa.String(length=136), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_uploads_principal", "uploads", ["principal"])
    op.create_index("ix_uploads_digest_changed", "uploads", ["digest", "changed"])
    op.create_table(
        "upload_pieces",
        sa.Column("upload_id", sa.String(length=36), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name="fk_upload_pieces_upload_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("upload_id", "start", name="pk_upload_pieces"),
        sqlite_with_rowid=False,
    )
