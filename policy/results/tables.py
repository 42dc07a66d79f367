"""The tables of results: of `policy.db`, and of a schema in PostgreSQL."""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, MetaData, Table, UniqueConstraint

from registry.database.dialects import ROW_ID, TEXT

# Increase it when a table or the meaning of a column changes: a policy.db of another version is replaced, and another
# schema is used.
VERSION = 4
WITHOUT_STATES = 3
"""The version before: everything in its file stays, and gets an index."""
WITHOUT_PROFILES = 2
"""The version before that: of its file the inspections of layers stay, which cost most."""

SCHEMA = MetaData()

# `sum`: checksum of the row's other columns (`policy.results.checksums`), except `subjects.body`: zlib has its own.

# One layer, read by one set of detectors; when it could not be read, `body` is empty and `failure` says why.
inspections = Table(
    "inspections",
    SCHEMA,
    Column("layer", TEXT, primary_key=True),
    Column("detectors", TEXT, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("failure", TEXT, nullable=False),
    Column("sum", BigInteger, nullable=False),
)

# One manifest as policies see it: a verdict's state depends on `essence`, its text on `body`.
subjects = Table(
    "subjects",
    SCHEMA,
    Column("manifest", TEXT, primary_key=True),
    Column("detectors", TEXT, primary_key=True),
    Column("kind", TEXT, nullable=False),
    Column("essence", TEXT, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sum", BigInteger, nullable=False),
)

# What manifests have in common: kind, essence and platform; and which of these each manifest has.
profiles = Table(
    "profiles",
    SCHEMA,
    Column("id", ROW_ID, primary_key=True),
    Column("kind", TEXT, nullable=False),
    Column("essence", TEXT, nullable=False),
    Column("platform", TEXT, nullable=False),
    Column("sum", BigInteger, nullable=False),
    # PostgreSQL does not index texts of any length; who writes there looks first, and has the lock.
    UniqueConstraint("essence", "kind", "platform").ddl_if(dialect="sqlite"),
    sqlite_autoincrement=True,
)
profiled = Table(
    "profiled",
    SCHEMA,
    Column("manifest", TEXT, primary_key=True),
    Column("profile", ROW_ID, nullable=False),
    Column("sum", BigInteger, nullable=False),
    Index("profiled_by_profile", "profile", "manifest"),
    sqlite_with_rowid=False,
)

# The state that a policy, known by its digest, gave to a manifest.
verdicts = Table(
    "verdicts",
    SCHEMA,
    Column("policy", TEXT, primary_key=True),
    Column("manifest", TEXT, primary_key=True),
    Column("state", TEXT, nullable=False),
    Column("sum", BigInteger, nullable=False),
)
verdicts_by_state = Index("verdicts_by_state", verdicts.c.policy, verdicts.c.state)
"""By it verdicts are counted, without a look at them."""

# `layers_opened`, `bytes_opened`: what inspections have read; `forgotten`: how often a new inspection was requested;
# `superseded`: how often verdicts on a manifest were dropped because its results changed.
counters = Table(
    "counters",
    SCHEMA,
    Column("name", TEXT, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
