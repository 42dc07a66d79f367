"""Repositories, manifests, tags, referrers and principals in a relational database."""
