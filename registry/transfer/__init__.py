"""Transfer: images in and out of archives, OCI layouts and repositories, copied content by content."""
