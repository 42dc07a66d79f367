"""The official suite through nginx, round robin and without affinity, with two nodes behind it: every profile."""

from tests.cluster.balancer import balanced, registry
from tests.conformance_suite.test_official_suite import *  # noqa: F403

__all__ = ["balanced", "registry"]
