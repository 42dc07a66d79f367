"""Verdicts signed for other verifiers: SLSA verification summaries, and how they are published. Knows no HTTP."""
