"""Databases, SQLite and PostgreSQL: connections, the writer thread, statements, errors."""
