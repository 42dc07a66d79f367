"""Results, in policy.db or in PostgreSQL: inspections, inspected manifests and verdicts; all can be computed again."""
