"""What is told of requests and of the server: logs, audit, metrics, readiness."""
