"""Findings -> what to do about them: the nearest changes to the image, derived from its facts."""
