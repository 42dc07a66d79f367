"""One layer becomes a small index of its paths, and what detectors read."""
