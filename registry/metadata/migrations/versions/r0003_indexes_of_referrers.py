"""Manifests without a subject are in no index of referrers: most have none, and each index costs every push."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_COLUMNS = (("repository_id", "subject", "digest"), ("repository_id", "subject", "referrer_type", "digest"))


def upgrade() -> None:
    """Make both indexes anew, of the manifests that refer to another."""
    for columns in _COLUMNS:
        name = f"ix_manifests_{'_'.join(columns)}"
        op.drop_index(name, "manifests")
        op.create_index(name, "manifests", list(columns), sqlite_where=sa.text("subject IS NOT NULL"))
