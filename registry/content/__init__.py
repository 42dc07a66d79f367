"""The services of a registry: blobs, manifests, uploads, tags, catalog, referrers, quotas, collection."""
