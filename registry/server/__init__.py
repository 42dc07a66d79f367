"""Starting and running the server: certificate, limits, reload, response cache."""
