"""The client of the gateway: credentials, connections, and answers for people."""
