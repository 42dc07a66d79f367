"""The data plane of Azure Container Registry as an extension of the registry: their rows."""

from collections.abc import Callable
from functools import partial

import structlog

from policy.azure.admin_user import AdminUser, AdminUserRefused
from policy.azure.data_plane.quarantine import Verdicts
from policy.azure.data_plane.routes import table
from policy.azure.data_plane.settings import DataPlaneSettings
from registry.extension import Extension


def extension(verdicts: Verdicts, settings: Callable[[], DataPlaneSettings], admin: AdminUser) -> Extension:
    """Answer below `/acr`; `settings` are the section `azure.data_plane` that counts now."""
    return Extension(
        routes=partial(table, settings=settings, verdicts=verdicts), background=(partial(_establish, admin),)
    )


async def _establish(admin: AdminUser) -> None:
    """A server without its admin user serves everybody else."""
    try:
        await admin.establish()
    except AdminUserRefused as refusal:
        structlog.get_logger(__name__).error("the admin user cannot sign in", reason=str(refusal))
