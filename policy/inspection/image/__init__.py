"""Layers and a configuration become one root, and its facts."""
