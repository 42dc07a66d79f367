"""Keys of its own, and what is signed with them. Knows no verdict, no HTTP and no database."""
