"""The caller's side of the gateway: credentials, connection, and answers for people."""
