"""The tables of a registry: repositories, manifests, tags and their history, locks, blobs, events, attestations, trash,
and the uploads that nodes share.

Digests and names are stored as text. Every look-up of a request uses the prefix of one index.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from registry.database.dialects import ROW_ID, Document, ordered_text
from registry.metadata.principal_tables import principal_secrets, principals, scope_maps
from registry.metadata.schema import SCHEMA

_DIGEST = ordered_text(136)


def _repository() -> Column[int]:
    return Column("repository_id", ROW_ID, ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False)


repositories = Table(
    "repositories",
    SCHEMA,
    Column("id", ROW_ID, primary_key=True),
    Column("name", ordered_text(255), nullable=False, unique=True),
    Column("created", Float, nullable=False, comment="seconds since the epoch"),
)

manifests = Table(
    "manifests",
    SCHEMA,
    Column("id", ROW_ID, primary_key=True),
    _repository(),
    Column("digest", _DIGEST, nullable=False),
    Column("media_type", ordered_text(255), nullable=False),
    Column("size", BigInteger, nullable=False, comment="bytes of the manifest itself"),
    Column("artifact_type", Text, nullable=False, comment="as the manifest declares it, or empty"),
    Column("config_media_type", Text, nullable=False, comment="empty for an index"),
    Column("referrer_type", Text, nullable=False, comment="artifactType in the referrers list"),
    Column("subject", _DIGEST, nullable=True),
    Column("annotations", Document(), nullable=False, comment="object of strings"),
    Column("pushed", Float, nullable=False, comment="last push, seconds since the epoch"),
    Column("created", Float, nullable=True, comment="first push; NULL: as `pushed`"),
    Column("pushed_by", ordered_text(36), nullable=False, comment="principal id"),
    # Last, so that reading other columns skips it; NULL when the bytes are in the blob store.
    Column("content", LargeBinary, nullable=True, comment="the bytes as pushed"),
    UniqueConstraint("repository_id", "digest"),
    Index(None, "digest"),
    # A partial index: most manifests have no subject, and each index costs every push.
    Index(None, "repository_id", "subject", "digest", sqlite_where=text("subject IS NOT NULL")),
    Index(None, "repository_id", "subject", "referrer_type", "digest", sqlite_where=text("subject IS NOT NULL")),
    # Ids are never reused: a walk over the table by id must not take a new row for an old one.
    sqlite_autoincrement=True,
)

manifest_references = Table(
    "manifest_references",
    SCHEMA,
    Column("manifest_id", ROW_ID, ForeignKey("manifests.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, comment="place in the manifest: 0 is the config of an image"),
    Column("kind", ordered_text(8), nullable=False, comment="config, layer, child or blob"),
    _repository(),
    Column("digest", _DIGEST, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False, comment="bytes, as the descriptor says"),
    Index(None, "repository_id", "digest"),
)

tags = Table(
    "tags",
    SCHEMA,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("name", ordered_text(128), primary_key=True),
    Column("digest", _DIGEST, nullable=False),
    Column("created", Float, nullable=False, comment="seconds since the epoch"),
    Column("updated", Float, nullable=False, comment="last move to another digest"),
    Index(None, "repository_id", "digest"),
)

locks = Table(
    "locks",
    SCHEMA,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("name", _DIGEST, primary_key=True, comment="a tag, the digest of a manifest, or empty: the repository"),
    Column("deletes", Boolean, nullable=False, comment="whether it is locked against them; so are the next three"),
    Column("writes", Boolean, nullable=False),
    Column("reads", Boolean, nullable=False),
    Column("lists", Boolean, nullable=False),
    Column("changed", Float, nullable=False, comment="seconds since the epoch"),
)

repository_blobs = Table(
    "repository_blobs",
    SCHEMA,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", _DIGEST, primary_key=True),
    Column("size", BigInteger, nullable=False, comment="bytes"),
    Column("created", Float, nullable=False, comment="last upload or mount, seconds since the epoch"),
    Index(None, "digest"),
)

fresh_blobs = Table(
    "fresh_blobs",
    SCHEMA,
    # Ids only rise: entries up to a known id are removed, and a later entry must not be among them.
    Column("id", ROW_ID, primary_key=True),
    Column("digest", _DIGEST, nullable=False),
    Column("content", LargeBinary, nullable=False, comment="the bytes of a file that may not be durable yet"),
    sqlite_autoincrement=True,
)

mirrored_tags = Table(
    "mirrored_tags",
    SCHEMA,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("name", ordered_text(128), primary_key=True),
    Column("digest", _DIGEST, nullable=False, comment="what the upstream had there"),
    Column("checked", Float, nullable=False, comment="when it was last asked, seconds since the epoch"),
)

mirror_fetches = Table(
    "mirror_fetches",
    SCHEMA,
    Column("repository", ordered_text(255), primary_key=True),
    Column("digest", _DIGEST, primary_key=True),
    Column("upload", ordered_text(36), nullable=False, comment="id of the upload session that the blob comes into"),
)

last_pulls = Table(
    "last_pulls",
    SCHEMA,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("name", _DIGEST, primary_key=True, comment="a tag, or the digest of a manifest"),
    Column("principal", ordered_text(36), primary_key=True, comment="id, or empty"),
    Column("time", Float, nullable=False, comment="seconds since the epoch"),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    SCHEMA,
    Column("id", ROW_ID, primary_key=True),
    Column("time", Float, nullable=False, comment="seconds since the epoch"),
    Column("kind", ordered_text(32), nullable=False),
    Column("repository", ordered_text(255), nullable=False),
    Column("digest", _DIGEST, nullable=False, comment="or empty"),
    Column("tag", ordered_text(128), nullable=False, comment="or empty"),
    Column("principal", ordered_text(36), nullable=False, comment="id, or empty"),
    Column("details", Document(), nullable=True, comment="object: what else there is to say of it, by its kind"),
    sqlite_autoincrement=True,
)

tag_history = Table(
    "tag_history",
    SCHEMA,
    Column("id", ROW_ID, primary_key=True),
    Column("repository", ordered_text(255), nullable=False, comment="its name: history outlives it"),
    Column("tag", ordered_text(128), nullable=False),
    Column("digest", _DIGEST, nullable=False, comment="of a deletion: what the tag pointed at before"),
    Column("media_type", ordered_text(255), nullable=False),
    Column("size", BigInteger, nullable=False, comment="bytes of the manifest itself"),
    Column("time", Float, nullable=False, comment="seconds since the epoch"),
    Column("until", Float, nullable=True, comment="when it ceased to count; of a deletion: its time"),
    Column("deleted", Boolean, nullable=False),
    Column("principal", ordered_text(36), nullable=False, comment="id, or empty"),
    Index(None, "repository", "tag", "id"),
    # Only what tags have left: a push of a new tag does not touch it.
    Index(None, "repository", "digest", "until", sqlite_where=text("until IS NOT NULL")),
    sqlite_autoincrement=True,
)

event_sinks = Table(
    "event_sinks",
    SCHEMA,
    Column("name", ordered_text(64), primary_key=True),
    Column("cursor", ROW_ID, nullable=False, comment="id of the last event that is done with"),
    Column("failures", Integer, nullable=False, comment="tries in a row that came to nothing"),
    Column("failing_since", Float, nullable=True, comment="seconds since the epoch"),
    Column("tried", Float, nullable=True, comment="the last try, seconds since the epoch"),
    Column("delivered", Float, nullable=True, comment="the last success, seconds since the epoch"),
    Column("given_up", Integer, nullable=False, comment="events that were given up"),
    Column("error", Text, nullable=False, comment="of the last try, or empty"),
)

told_marks = Table(
    "told_marks",
    SCHEMA,
    Column("manifest_id", Integer, ForeignKey("manifests.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "words", ordered_text(64), nullable=False, comment="what was told last; empty: not to be told the first time"
    ),
    Column("basis", ordered_text(80), nullable=False, comment="by what it held, or empty"),
)

webhooks = Table(
    "webhooks",
    SCHEMA,
    Column("name", ordered_text(50), primary_key=True),
    Column("url", Text, nullable=False),
    Column("actions", Document(), nullable=False, comment="list of texts"),
    Column("scope", Text, nullable=False, comment="REPOSITORY[:TAG] with *, or empty"),
    Column("headers", Document(), nullable=False, comment="object of texts"),
    Column("enabled", Boolean, nullable=False),
    Column("created", Float, nullable=False, comment="seconds since the epoch"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    SCHEMA,
    Column("id", ROW_ID, primary_key=True),
    Column("webhook", ordered_text(50), nullable=False),
    Column("time", Float, nullable=False, comment="seconds since the epoch"),
    Column("document", Document(), nullable=False, comment="what was sent, and answered"),
    Index(None, "webhook", "id"),
    sqlite_autoincrement=True,
)

holds = Table(
    "holds",
    SCHEMA,
    Column("id", ROW_ID, primary_key=True),
    _repository(),
    Column("digest", _DIGEST, nullable=False, comment="of a manifest"),
    Column("name", ordered_text(255), nullable=False, comment="what whoever placed it calls it"),
    Column("reason", Text, nullable=False, comment="who needs the manifest, and how to have it let go of"),
    Column("created", Float, nullable=False, comment="seconds since the epoch"),
    UniqueConstraint("name", "repository_id", "digest"),
    Index(None, "repository_id", "digest"),
    sqlite_autoincrement=True,
)

attestations = Table(
    "attestations",
    SCHEMA,
    Column("id", ROW_ID, primary_key=True),
    Column("manifest_id", ROW_ID, ForeignKey("manifests.id", ondelete="CASCADE"), nullable=False),
    Column("statement", LargeBinary, nullable=False, comment="in-toto statement about the manifest, JSON"),
    Column("made", Float, nullable=False, comment="seconds since the epoch"),
    Column("key", ordered_text(64), nullable=True, comment="id of the key that signed it; NULL until it is signed"),
    Column("signature", LargeBinary, nullable=True),
    Index(None, "manifest_id"),
    Index(None, "id", sqlite_where=text("signature IS NULL")),
    sqlite_autoincrement=True,
)

attested_content = Table(
    "attested_content",
    SCHEMA,
    Column("digest", _DIGEST, primary_key=True, comment="of a manifest or blob that publishes the attestation"),
    Column("attestation_id", ROW_ID, ForeignKey("attestations.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "attestation_id"),
    sqlite_with_rowid=False,
)

store = Table(
    "store",
    SCHEMA,
    Column("id", ordered_text(36), primary_key=True, comment="a UUID; copies of the rows bear it as well"),
    Column("knows_since", Float, nullable=False, comment="seconds since the epoch; rows of older files may be lost"),
)

trash = Table(
    "trash",
    SCHEMA,
    Column("id", ROW_ID, primary_key=True),
    Column("run", ordered_text(64), nullable=False, comment="what removed it: one collection or one delete"),
    Column("time", Float, nullable=False, comment="seconds since the epoch"),
    Column("kind", ordered_text(8), nullable=False, comment="tag, manifest, link or blob"),
    Column("repository", ordered_text(255), nullable=False, comment="or empty"),
    Column("digest", _DIGEST, nullable=False),
    Column("tag", ordered_text(128), nullable=False, comment="or empty"),
    Column("size", BigInteger, nullable=False, comment="bytes, or 0"),
    Column("media_type", ordered_text(255), nullable=False, comment="of a manifest, or empty"),
    Column("principal", ordered_text(36), nullable=False, comment="id of who pushed a manifest, or empty"),
    Column("content", LargeBinary, nullable=True, comment="the bytes of a manifest"),
    Index(None, "time"),
    sqlite_autoincrement=True,
)

uploads = Table(
    "uploads",
    SCHEMA,
    Column("id", ordered_text(36), primary_key=True, comment="a UUID; part of the URL"),
    Column("repository", ordered_text(255), nullable=False),
    Column("algorithm", ordered_text(16), nullable=False, comment="hashes the bytes as they come"),
    Column("principal", ordered_text(36), nullable=False, comment="id of who opened it"),
    Column("started", Float, nullable=False, comment="seconds since the epoch"),
    Column("size", BigInteger, nullable=False, comment="bytes that were acknowledged"),
    Column("changed", Float, nullable=False, comment="last request that changed it, seconds since the epoch"),
    Column("holder", ordered_text(36), nullable=False, comment="the request that works on it, or empty"),
    Column("until", Float, nullable=False, comment="end of its claim, by the clock of the database"),
    Column("digest", _DIGEST, nullable=False, comment="the blob that it became, or empty"),
    Index(None, "principal"),
    Index(None, "digest", "changed"),
    sqlite_with_rowid=False,
)

upload_pieces = Table(
    "upload_pieces",
    SCHEMA,
    Column("upload_id", ordered_text(36), ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
    Column("start", BigInteger, primary_key=True, comment="its first byte within the upload"),
    Column("size", BigInteger, nullable=False, comment="bytes"),
    Column("name", ordered_text(64), nullable=False, comment="of its object; empty: its bytes are here"),
    Column("content", LargeBinary, nullable=False, comment="its bytes, where they are few"),
    sqlite_with_rowid=False,
)

__all__ = [
    "SCHEMA",
    "attestations",
    "attested_content",
    "event_sinks",
    "events",
    "fresh_blobs",
    "holds",
    "last_pulls",
    "locks",
    "manifest_references",
    "manifests",
    "mirror_fetches",
    "mirrored_tags",
    "principal_secrets",
    "principals",
    "repositories",
    "repository_blobs",
    "scope_maps",
    "store",
    "tag_history",
    "tags",
    "told_marks",
    "trash",
    "upload_pieces",
    "uploads",
    "webhook_deliveries",
    "webhooks",
]
