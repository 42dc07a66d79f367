"""Telemetry of requests and the server: logs, audit, metrics, readiness."""
