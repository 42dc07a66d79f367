"""Verdicts that are signed and stored, with rows in PostgreSQL."""

from tests.policy.attestation.test_published_verdicts import *  # noqa: F403
