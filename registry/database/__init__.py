"""One engine for every SQLite file: connections, the writer thread, statements, errors."""
