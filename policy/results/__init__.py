"""Results in policy.db: inspections, inspected manifests and verdicts; all can be computed again."""
