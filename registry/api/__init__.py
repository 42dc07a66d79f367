"""The registry over HTTP: one file per noun of the URLs, every route in `routes.py`."""
