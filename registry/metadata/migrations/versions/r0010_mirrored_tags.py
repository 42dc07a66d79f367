"""What came from upstreams: when tags were asked for there, and uploads of blobs that are being fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add empty tables: nothing was fetched before."""
    op.create_table(
        "mirrored_tags",
        sa.Column("repository_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=136), nullable=False),
        sa.Column("checked", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "name", name="pk_mirrored_tags"),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["repositories.id"], name="fk_mirrored_tags_repository_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "mirror_fetches",
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=136), nullable=False),
        sa.Column("upload", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("repository", "digest", name="pk_mirror_fetches"),
    )
