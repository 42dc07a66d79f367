"""Principals, secrets, scopes, tokens, access."""
