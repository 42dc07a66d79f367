"""Starting and running the server: certificate, limits, reload, remembered responses."""
