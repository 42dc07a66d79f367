"""What is asked of policies and ordered of them by who runs a registry: each act once, for its API and for commands."""
