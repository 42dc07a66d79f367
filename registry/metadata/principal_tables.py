"""The tables of principals, their secrets, and the scope maps that grant rights by repository."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, String, Table, Text

from registry.metadata.schema import SCHEMA

principals = Table(
    "principals",
    SCHEMA,
    Column("id", String(36), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(32), nullable=False),
    Column("repositories", Text, nullable=False, comment="JSON array of patterns"),
    Column("enabled", Boolean, nullable=False),
    Column("created", Float, nullable=False, comment="seconds since the epoch"),
    Column("scope_map", String(64), nullable=True, comment="whose rights it has in the place of its role's"),
)

scope_maps = Table(
    "scope_maps",
    SCHEMA,
    Column("name", String(64), primary_key=True),
    Column("description", Text, nullable=False),
    Column("grants", Text, nullable=False, comment="JSON: [[pattern, [action, …]], …]"),
    Column("created", Float, nullable=False, comment="seconds since the epoch"),
)

principal_secrets = Table(
    "principal_secrets",
    SCHEMA,
    Column("principal_id", String(36), ForeignKey("principals.id"), primary_key=True),
    Column("name", String(16), primary_key=True),
    Column("hash", Text, nullable=False, comment="Argon2id, PHC form"),
    Column("expires", Float, nullable=False, comment="seconds since the epoch"),
    Column("created", Float, nullable=False, comment="seconds since the epoch"),
)
