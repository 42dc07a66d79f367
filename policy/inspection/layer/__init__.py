"""One layer becomes a small index of its paths, and the records of detectors."""
