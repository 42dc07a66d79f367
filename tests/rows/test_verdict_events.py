"""Events of verdicts, with rows in PostgreSQL; but for the test that has SQLite refuse a change."""

from tests.policy.enforcement.test_verdict_events import *  # noqa: F403

del test_what_was_pending_is_told_after_a_round_that_failed  # noqa: F821
