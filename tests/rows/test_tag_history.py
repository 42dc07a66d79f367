"""The history of tags over HTTP, with rows in PostgreSQL."""

from tests.registry.api.test_tag_history import *  # noqa: F403
