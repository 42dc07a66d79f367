"""Inspects an image without running it: layer bytes -> layer inspections -> the facts of the image."""
