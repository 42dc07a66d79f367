"""Blobs as files of a data folder."""
