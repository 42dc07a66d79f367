"""Parses and interprets inference configurations, without I/O."""
