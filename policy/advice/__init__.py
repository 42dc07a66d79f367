"""Findings -> advice: the nearest changes to the image, derived from its facts."""
