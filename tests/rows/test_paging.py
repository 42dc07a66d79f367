"""Lists in pages, with rows in PostgreSQL."""

from tests.registry.api.test_paging import *  # noqa: F403
