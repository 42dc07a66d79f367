"""HTTP/1.1 on a socket for any ASGI application. Imports nothing else of the registry."""
