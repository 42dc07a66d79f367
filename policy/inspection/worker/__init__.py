"""Worker processes that inspect layers outside the server process."""
