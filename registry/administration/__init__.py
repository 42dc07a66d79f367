"""What is asked of a registry and done to it by who runs it: each act once, for the HTTP API and for commands."""
