"""The feed of events, with rows in PostgreSQL."""

from tests.policy.gateway.test_events import *  # noqa: F403
