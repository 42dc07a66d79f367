"""Keeping a data folder whole: scrub, copy, backup, restore, verify, rebuild, trash. Imported by app and commands."""
