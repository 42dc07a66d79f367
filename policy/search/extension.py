"""The search as an extension of the registry: its route."""

from collections.abc import Callable

from policy.search.images import ImageSearch
from policy.search.routes import table
from policy.search.settings import SearchSettings
from registry.extension import Extension


def extension(search: ImageSearch, settings: Callable[[], SearchSettings]) -> Extension:
    """The extension that answers searches; `settings` returns the section `search`."""
    return Extension(routes=lambda _services: table(search, settings))
