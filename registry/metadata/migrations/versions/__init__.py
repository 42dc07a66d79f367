"""One file for each revision of the schema, named r<revision>_<what it does>."""
