"""What tags pointed at before, and what else there is to say of an event."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_NOW = sa.text(
    "INSERT INTO tag_history (repository, tag, digest, media_type, size, time, until, deleted, principal) "
    "SELECT repositories.name, tags.name, tags.digest, coalesce(manifests.media_type, ''), "
    "coalesce(manifests.size, 0), tags.updated, NULL, 0, coalesce(manifests.pushed_by, '') "
    "FROM tags JOIN repositories ON repositories.id = tags.repository_id "
    "LEFT JOIN manifests ON manifests.repository_id = tags.repository_id AND manifests.digest = tags.digest "
    "ORDER BY tags.updated"
)


def upgrade() -> None:
    """Add a table and an empty column; the history of each tag begins with what it points at."""
    op.create_table(
        "tag_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repository", sa.String(length=255), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=136), nullable=False),
        sa.Column("media_type", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("principal", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tag_history"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tag_history_repository_tag_id", "tag_history", ["repository", "tag", "id"])
    op.create_index(
        "ix_tag_history_repository_digest_until",
        "tag_history",
        ["repository", "digest", "until"],
        sqlite_where=sa.text("until IS NOT NULL"),
    )
    op.add_column("events", sa.Column("details", sa.JSON(), nullable=True))
    op.execute(_NOW)
