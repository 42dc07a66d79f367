"""Settings: their groups, where they come from, and changes while the server runs."""
