"""Attestations: signed statements about manifests, which are removed with them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nothing is attested yet: what is stored is looked at by the first start of a program that attests."""
    op.create_table(
        "attestations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("manifest_id", sa.Integer(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.Float(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifests.id"], name="fk_attestations_manifest_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attestations"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attestations_manifest_id", "attestations", ["manifest_id"])
    op.create_index("ix_attestations_id", "attestations", ["id"], sqlite_where=sa.text("signature IS NULL"))
    op.create_table(
        "attested_content",
        sa.Column("digest", sa.String(length=136), nullable=False),
        sa.Column("attestation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attestation_id"], ["attestations.id"], name="fk_attested_content_attestation_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", "attestation_id", name="pk_attested_content"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_attested_content_attestation_id", "attested_content", ["attestation_id"])
