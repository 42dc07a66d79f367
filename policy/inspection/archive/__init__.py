"""One stream of a layer: decompressed and read as a tar archive."""
