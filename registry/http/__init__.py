"""HTTP/1.1 on a socket for an ASGI application."""
