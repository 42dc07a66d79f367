"""Imports of ACR (`az acr import`): an image of another registry, or of this one, is copied into a repository here."""
