"""The terms of the OCI specifications as values: no I/O, no framework."""
