"""The tables of `policy.db`."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

# Increase it when a table or the meaning of a column changes: a policy.db of another version is replaced.
VERSION = 3
WITHOUT_PROFILES = 2
"""The version before: of its file the inspections of layers stay, which cost most."""

SCHEMA = MetaData()

# `sum`: checksum of the row's other columns (`policy.results.checksums`), except `subjects.body`: zlib has its own.

# One layer, read by one set of detectors; when it could not be read, `body` is empty and `failure` says why.
inspections = Table(
    "inspections",
    SCHEMA,
    Column("layer", Text, primary_key=True),
    Column("detectors", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("failure", Text, nullable=False),
    Column("sum", BigInteger, nullable=False),
)

# One manifest as policies see it: a verdict's state depends on `essence`, its text on `body`.
subjects = Table(
    "subjects",
    SCHEMA,
    Column("manifest", Text, primary_key=True),
    Column("detectors", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("essence", Text, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sum", BigInteger, nullable=False),
)

# What manifests have in common: kind, essence and platform; and which of these each manifest has.
profiles = Table(
    "profiles",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("essence", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("sum", BigInteger, nullable=False),
    UniqueConstraint("essence", "kind", "platform"),
    sqlite_autoincrement=True,
)
profiled = Table(
    "profiled",
    SCHEMA,
    Column("manifest", Text, primary_key=True),
    Column("profile", Integer, nullable=False),
    Column("sum", BigInteger, nullable=False),
    Index("profiled_by_profile", "profile", "manifest"),
    sqlite_with_rowid=False,
)

# The state that a policy, known by its digest, gave to a manifest.
verdicts = Table(
    "verdicts",
    SCHEMA,
    Column("policy", Text, primary_key=True),
    Column("manifest", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("sum", BigInteger, nullable=False),
)

# `layers_opened`, `bytes_opened`: what inspections have read; `forgotten`: how often a new inspection was requested;
# `superseded`: how often verdicts on a manifest were dropped because its results changed.
counters = Table(
    "counters",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
