"""The shapes in which repositories, tags and manifests are told: JSON-able, times in ISO 8601 (UTC), sizes in bytes."""

from dataclasses import asdict
from typing import Any

from registry.metadata.listings import ManifestCard, ManifestSummary, RepositoryCard, TagCard
from registry.oci.timestamp import timestamp


def repository_document(card: RepositoryCard) -> dict[str, Any]:
    """`{"name", "created", "tags", "manifests", "blobs", "bytes"}`."""
    return asdict(card) | {"created": timestamp(card.created)}


def tag_document(card: TagCard) -> dict[str, Any]:
    """`{"name", "digest", "created", "updated", "pulled", "locked"}`; `pulled` is "" when that is not known."""
    times = {"created": timestamp(card.created), "updated": timestamp(card.updated), "pulled": _or_never(card.pulled)}
    return asdict(card) | times


def manifest_document(card: ManifestSummary) -> dict[str, Any]:
    """`{"digest", "media_type", "size", "artifact_type", "subject", "pushed", "pushed_by", "pulled", "tags"}`."""
    return {
        "digest": card.digest,
        "media_type": card.media_type,
        "size": card.size,
        "artifact_type": card.artifact_type,
        "subject": card.subject,
        "pushed": timestamp(card.pushed),
        "pushed_by": card.pushed_by,
        "pulled": _or_never(card.pulled),
        "tags": list(card.tags),
    }


def whole_manifest_document(card: ManifestCard, withheld: str = "", *, names: bool = True) -> dict[str, Any]:
    """The same with more: what it consists of, who pushed it and who pulled it.

    `references` are `{"kind", "digest", "media_type", "size"}`, or none, and `withheld` says why. With `names`,
    there are `pushed_by_name`, and `pullers`, `{"name", "time"}`, the latest first.
    """
    return manifest_document(card) | {
        "references": [] if withheld else [asdict(part) for part in card.references],
        "withheld": withheld,
        "pushed_by_name": card.pushed_by_name if names else "",
        "pullers": [{"name": each.name, "time": timestamp(each.time)} for each in card.pullers] if names else [],
    }


def _or_never(seconds: float | None) -> str:
    return timestamp(seconds) if seconds else ""
