"""Searching images, with rows in PostgreSQL."""

from tests.policy.search.test_images import *  # noqa: F403
