"""What happened, told to whoever wants to know: read from the rows of events, behind cursors. Knows no HTTP server."""
