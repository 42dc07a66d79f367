"""Blobs in the memory of one process: for tests, and the proof that a store needs no files."""
