"""The bench: basegate beside other registries, on one machine, in one run."""
