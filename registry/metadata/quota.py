"""The error for a repository that would hold more than it may."""

from registry.oci.errors import QuotaExceeded
from registry.oci.names import RepositoryName


def over_quota(repository: RepositoryName, wanted: int, quota: int) -> QuotaExceeded:
    """The error for a full quota, with the numbers in bytes."""
    return QuotaExceeded(
        f"{repository} would hold {wanted} bytes, its quota is {quota}: delete something first, or ask for more",
        {"bytes": wanted, "quota": quota},
    )
