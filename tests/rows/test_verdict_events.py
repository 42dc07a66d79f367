"""Events of verdicts, with rows in PostgreSQL."""

from tests.policy.enforcement.test_verdict_events import *  # noqa: F403
