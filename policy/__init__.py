"""The image-policy gateway: what is in an image, and whether a policy lets it be referenced."""
