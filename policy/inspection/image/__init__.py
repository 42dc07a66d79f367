"""Layers and a configuration become one root and the facts in it."""
