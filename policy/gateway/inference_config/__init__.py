"""Inference configurations, read and interpreted without I/O."""
