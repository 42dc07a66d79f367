"""Tokens over HTTP, with rows in PostgreSQL."""

from tests.registry.api.test_tokens import *  # noqa: F403
