"""Blobs as objects of a store: S3, Azure Blob Storage, Google Cloud Storage. Alone in knowing obstore."""
