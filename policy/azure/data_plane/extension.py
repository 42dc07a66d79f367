"""Azure's doors as an extension of the registry: their rows."""

from collections.abc import Callable
from functools import partial

from policy.azure.data_plane.quarantine import Verdicts
from policy.azure.data_plane.routes import table
from policy.azure.data_plane.settings import DataPlaneSettings
from registry.extension import Extension


def extension(verdicts: Verdicts, settings: Callable[[], DataPlaneSettings]) -> Extension:
    """Answer below `/acr`; `settings` are the section `azure.data_plane` that counts now."""
    return Extension(routes=partial(table, settings=settings, verdicts=verdicts))
