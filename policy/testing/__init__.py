"""For tests of other projects: a registry with its gateway in this process, images, verdicts; a plugin of pytest."""
