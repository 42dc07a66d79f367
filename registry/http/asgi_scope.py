"""A request's head as ASGI's scope."""

from typing import Any

from starlette.types import Scope

from registry.http.request_head import Head

Address = tuple[str, int]


def scope_of(head: Head, scheme: str, server: Address, client: Address) -> Scope:
    """The scope of an HTTP request; extensions are the caller's to add."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": head.version,
        "server": server,
        "client": client,
        "scheme": scheme,
        "method": head.method,
        "root_path": "",
        "path": head.path,
        "raw_path": head.raw_path,
        "query_string": head.query,
        "headers": head.fields,
    }


def address_of(found: Any) -> Address:
    """Host and port, as a transport tells them; empty when it does not."""
    return (str(found[0]), int(found[1])) if found else ("", 0)
