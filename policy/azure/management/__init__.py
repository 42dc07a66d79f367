"""A port of its own that az and the SDKs take for Azure: cloud metadata, signing in, resources and tasks."""
