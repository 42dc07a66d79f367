"""What was seen and decided: inspections, subjects and verdicts, all of which can be computed again."""
