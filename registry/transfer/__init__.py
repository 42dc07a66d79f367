"""Images in and out: archives, OCI layouts and repositories, here and elsewhere, copied content by content."""
