"""Who refers to what: repositories, manifests, tags, referrers, principals, in a relational database."""
