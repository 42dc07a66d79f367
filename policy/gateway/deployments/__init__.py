"""Deployments over HTTP: what is asked, judged, recorded and answered."""
