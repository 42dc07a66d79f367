"""What was last told of each manifest by whoever joined the registry."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the table; what holds of manifests that are there already is no news."""
    op.create_table(
        "told_marks",
        sa.Column("manifest_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=64), nullable=False),
        sa.Column("basis", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifests.id"], name="fk_told_marks_manifest_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("manifest_id", name="pk_told_marks"),
    )
    op.execute("INSERT INTO told_marks SELECT id, '', '' FROM manifests")
