"""The ASGI scope of a request."""

from typing import Any

from starlette.types import Scope

from registry.http.request_head import Head

Address = tuple[str, int]


def scope_of(head: Head, scheme: str, server: Address, client: Address) -> Scope:
    """The scope of an HTTP request, without extensions."""
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


def address_of(info: Any) -> Address:
    """Host and port from a transport's address information; empty when there is none."""
    return (str(info[0]), int(info[1])) if info else ("", 0)
