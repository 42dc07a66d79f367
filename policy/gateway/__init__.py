"""The doors through which an image is referenced for a deployment."""
