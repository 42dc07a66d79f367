"""Quotas: how many bytes a repository may hold."""

from sqlalchemy import Connection

from registry.config.settings import RegistrySettings
from registry.metadata import blobs, repositories
from registry.metadata.quota import over_quota
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.oci.patterns import any_covers


def quota_of(settings: RegistrySettings, repository: RepositoryName) -> int | None:
    """Bytes that the first matching quota allows, or `None` when none matches."""
    for quota in settings.quotas:
        if any_covers(quota.repositories, repository):
            return quota.bytes
    return None


def require_room(
    connection: Connection, repository: RepositoryName, quota: int, size: int, digest: Digest | None = None
) -> None:
    """Check that `size` more bytes fit; a blob that the repository holds already needs no room.

    Raises:
        QuotaExceeded: they do not; the message has the repository's new size and its quota.
    """
    if digest is not None and blobs.size_of(connection, repository, digest) is not None:
        return
    repository_id = repositories.find(connection, repository)
    wanted = size + (0 if repository_id is None else repositories.bytes_held(connection, repository_id))
    if wanted > quota:
        raise over_quota(repository, wanted, quota)
