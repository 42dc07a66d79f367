"""The client of other registries: reads from them, writes to them. Imports the terms of `oci`, and errors."""
