"""How bytes meet the socket."""
