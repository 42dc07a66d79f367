"""The tables of principals, their secrets, and the scope maps that grant rights by repository."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Table, Text

from registry.database.dialects import ordered_text
from registry.metadata.schema import SCHEMA

principals = Table(
    "principals",
    SCHEMA,
    Column("id", ordered_text(36), primary_key=True),
    Column("name", ordered_text(64), nullable=False, unique=True),
    Column("role", ordered_text(32), nullable=False),
    Column("repositories", Text, nullable=False, comment="JSON array of patterns"),
    Column("enabled", Boolean, nullable=False),
    Column("created", Float, nullable=False, comment="seconds since the epoch"),
    Column("scope_map", ordered_text(64), nullable=True, comment="whose rights it has in the place of its role's"),
)

scope_maps = Table(
    "scope_maps",
    SCHEMA,
    Column("name", ordered_text(64), primary_key=True),
    Column("description", Text, nullable=False),
    Column("grants", Text, nullable=False, comment="JSON: [[pattern, [action, …]], …]"),
    Column("created", Float, nullable=False, comment="seconds since the epoch"),
)

principal_secrets = Table(
    "principal_secrets",
    SCHEMA,
    Column("principal_id", ordered_text(36), ForeignKey("principals.id"), primary_key=True),
    Column("name", ordered_text(16), primary_key=True),
    Column("hash", Text, nullable=False, comment="Argon2id, PHC form"),
    Column("expires", Float, nullable=False, comment="seconds since the epoch"),
    Column("created", Float, nullable=False, comment="seconds since the epoch"),
)
