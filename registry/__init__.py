"""A complete OCI registry that has never heard of policy."""
