"""Processes that inspect layers apart from the server."""
