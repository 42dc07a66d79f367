"""Maintenance of a data folder: scrub, copy, backup, restore, verify, rebuild, undo. Imported by app and commands."""
