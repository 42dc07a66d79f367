"""Every route of the data plane on one screen: methods, path, what the caller needs, who answers."""

from collections.abc import Callable

from policy.azure.data_plane.deleted import DeletedHandlers
from policy.azure.data_plane.manifests import ManifestHandlers
from policy.azure.data_plane.platforms import Platforms
from policy.azure.data_plane.quarantine import Quarantine, Verdicts
from policy.azure.data_plane.repositories import RepositoryHandlers, absent
from policy.azure.data_plane.settings import DataPlaneSettings
from policy.azure.data_plane.tags import TagHandlers
from registry.api.requirements import Requirement
from registry.api.routes import Row
from registry.api.services import Services

_NAME = "/acr/v1/{name:repository}"
_TAG = f"{_NAME}/_tags/{{reference}}"
_MANIFEST = f"{_NAME}/_manifests/{{digest}}"


def table(services: Services, settings: Callable[[], DataPlaneSettings], verdicts: Verdicts) -> tuple[Row, ...]:
    """The rows; the first that fits a path answers.

    Args:
        services: the registry's.
        settings: the section `azure.data_plane` that counts now.
        verdicts: tells what the policy says of a manifest.
    """
    parsing = services.stores.parsing
    repositories, tags = RepositoryHandlers(settings, parsing), TagHandlers(settings, parsing)
    quarantine = Quarantine(verdicts, lambda: settings().release_days)
    manifests = ManifestHandlers(settings, parsing, Platforms(services, parsing), quarantine)
    read, write, delete = Requirement.METADATA_READ, Requirement.METADATA_WRITE, Requirement.DELETE
    deleted = DeletedHandlers(settings, parsing)
    seen, restored = Requirement.DELETED_READ, Requirement.DELETED_RESTORE
    gone = "/acr/v1/_deleted/{name:repository}"
    return (
        Row(
            "GET HEAD",
            "/acr/v1/_deleted/_catalog",
            Requirement.DELETED_CATALOG,
            "acr.list_deleted_repositories",
            deleted.repositories,
        ),
        Row("GET HEAD", f"{gone}/_manifests", seen, "acr.list_deleted_manifests", deleted.manifests),
        Row("GET HEAD", f"{gone}/_tags", seen, "acr.list_deleted_tags", deleted.tags),
        Row("POST", f"{gone}/_manifests/{{digest}}", restored, "acr.restore_manifest", deleted.restore),
        Row("GET HEAD", "/acr/v1/_catalog", Requirement.CATALOG, "acr.list_repositories", repositories.catalog),
        Row("GET HEAD", f"{_NAME}/_tags", read, "acr.list_tags", tags.page),
        Row("GET HEAD", _TAG, read, "acr.show_tag", tags.show),
        Row("PATCH", _TAG, write, "acr.change_tag", tags.change),
        Row("DELETE", _TAG, delete, "acr.untag", tags.remove),
        Row("GET HEAD", f"{_NAME}/_manifests", read, "acr.list_manifests", manifests.page),
        Row("GET HEAD", _MANIFEST, read, "acr.show_manifest", manifests.show),
        Row("PATCH", _MANIFEST, write, "acr.change_manifest", manifests.change),
        Row("GET HEAD", _NAME, read, "acr.show_repository", repositories.show),
        Row("PATCH", _NAME, write, "acr.change_repository", repositories.change),
        Row("DELETE", _NAME, delete, "acr.delete_repository", repositories.remove),
        Row("GET HEAD POST PUT PATCH DELETE", "/acr/{rest:path}", Requirement.AZURE, "acr.absent", absent),
    )
