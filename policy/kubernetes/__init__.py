"""Kubernetes asks before it starts a Pod: image reviews and admission reviews, answered by the gateway's checks."""
