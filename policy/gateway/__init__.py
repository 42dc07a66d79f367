"""The HTTP interface for checks of images that are referenced for a deployment."""
