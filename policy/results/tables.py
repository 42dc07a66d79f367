"""The tables of `policy.db`."""

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, MetaData, Table, Text

# Raised whenever a table or the meaning of a column changes: a policy.db of another version is thrown away.
VERSION = 2

SCHEMA = MetaData()

# `sum` is over the other columns of its row (`policy.results.checksums`); that of a subject not over its body, which is
# packed with a sum of its own.

# One layer, read once by one set of detectors; `body` is empty when it could not be, and `failure` says why.
inspections = Table(
    "inspections",
    SCHEMA,
    Column("layer", Text, primary_key=True),
    Column("detectors", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("failure", Text, nullable=False),
    Column("sum", BigInteger, nullable=False),
)

# One manifest as policies see it. `essence` is all that a verdict's state depends on, `body` all that its text needs.
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

# The state that a policy, known by its digest, gave to a manifest.
verdicts = Table(
    "verdicts",
    SCHEMA,
    Column("policy", Text, primary_key=True),
    Column("manifest", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("sum", BigInteger, nullable=False),
)

# `layers_opened`, `bytes_opened`: what inspection has read; `forgotten`: how often somebody asked to look again;
# `superseded`: how often verdicts on a manifest were dropped because it was seen anew.
counters = Table(
    "counters",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
