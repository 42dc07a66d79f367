"""Signing in as at Entra: a service principal's secret, a device code, a browser (OAuth 2.0, OpenID Connect)."""
