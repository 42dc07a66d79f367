"""What Azure Container Registry answers, as JSON: envelopes, attributes, times (ACR REST API, 2021-07-01)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from registry.metadata.attributes import ManifestAttributes, RepositoryAttributes, TagAttributes
from registry.metadata.deleted import DeletedManifest, DeletedTag
from registry.metadata.locks import Locks
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.oci.platforms import Platform

ENABLED: Mapping[str, str] = {
    "deleteEnabled": "deletes",
    "writeEnabled": "writes",
    "readEnabled": "reads",
    "listEnabled": "lists",
}
"""Azure says what is enabled, the registry what is locked."""


@dataclass(frozen=True, slots=True)
class Described:
    """What of a manifest stands in its content, and what the policy says of it.

    Attributes:
        platform: what an image runs on, `None` where its configuration does not tell.
        references: of an index, its manifests and what they run on.
        quarantine: `quarantineState` and `quarantineDetails`; empty where no policy judges such a manifest.
    """

    platform: Platform | None = None
    references: tuple[tuple[Digest, Platform | None], ...] | None = None
    quarantine: Mapping[str, str] | None = None


def moment(seconds: float) -> str:
    """A time in UTC with seven digits behind the second, as .NET writes it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"


def envelope(registry: str, name: RepositoryName, **content: Any) -> dict[str, Any]:
    """What every answer about a repository begins with; `registry` is its login server, HOST:PORT."""
    return {"registry": registry, "imageName": name, **content}


def repository_document(registry: str, told: RepositoryAttributes) -> dict[str, Any]:
    """A repository."""
    return envelope(
        registry,
        told.name,
        createdTime=moment(told.created),
        lastUpdateTime=moment(told.updated),
        manifestCount=told.manifests,
        tagCount=told.tags,
        changeableAttributes=_changeable(told.locks),
    )


def tag_document(told: TagAttributes) -> dict[str, Any]:
    """A tag. `signed` is Docker Content Trust's, which is not served."""
    return {
        "name": told.name,
        "digest": told.digest,
        "createdTime": moment(told.created),
        "lastUpdateTime": moment(told.updated),
        "signed": False,
        "changeableAttributes": _changeable(told.locks),
    }


def manifest_document(told: ManifestAttributes, described: Described) -> dict[str, Any]:
    """A manifest; what its content does not tell is left out."""
    document: dict[str, Any] = {
        "digest": told.digest,
        "imageSize": told.size,
        "createdTime": moment(told.created),
        "lastUpdateTime": moment(told.updated),
        **_platform(described.platform),
        "mediaType": told.media_type,
        "configMediaType": told.config_media_type,
        "tags": list(told.tags),
        "changeableAttributes": _changeable(told.locks) | dict(described.quarantine or {}),
    }
    if described.references is not None:
        document["references"] = [_reference(digest, platform) for digest, platform in described.references]
    return {name: value for name, value in document.items() if value not in ("", [])}


def deleted_manifest_document(told: DeletedManifest) -> dict[str, Any]:
    """A manifest in the trash."""
    return {
        "digest": told.digest,
        "mediaType": told.media_type,
        "imageSize": told.size,
        "tags": list(told.tags),
        "deletedAt": moment(told.deleted),
    }


def deleted_tag_document(told: DeletedTag) -> dict[str, Any]:
    """A tag in the trash."""
    return {"tag": told.name, "digest": told.digest, "deletedAt": moment(told.deleted)}


def deletion_document(digests: Iterable[Digest], tags: Iterable[str]) -> dict[str, Any]:
    """What went with a repository."""
    return {"manifestsDeleted": list(digests), "tagsDeleted": list(tags)}


def _changeable(locks: Locks) -> dict[str, Any]:
    return {word: not getattr(locks, field) for word, field in ENABLED.items()}


def _reference(digest: Digest, platform: Platform | None) -> dict[str, str]:
    return {"digest": digest, **_platform(platform)}


def _platform(platform: Platform | None) -> dict[str, str]:
    if platform is None:
        return {}
    named = {"architecture": platform.architecture, "os": platform.os}
    return {name: value for name, value in named.items() if value}
