"""Checks that the server of this container is alive: `python -m registry.server.healthcheck`, exit code 0.

Imports nothing of the server: a health check runs every few seconds and has to be cheap.
"""

import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address

_SECONDS = 4
_LISTEN = "127.0.0.1:5000"


def main(variables: Mapping[str, str]) -> int:
    """The exit code, 1 when the server does not answer.

    Args:
        variables: `BASEGATE_LISTEN` is the address. TLS is tried first if `BASEGATE_TLS_CERT` is set, then the
            other way: a settings file may set either.
    """
    host, _, port = variables.get("BASEGATE_LISTEN", _LISTEN).rpartition(":")
    ways = [_plain, _secure]
    if variables.get("BASEGATE_TLS_CERT"):
        ways.reverse()
    return 0 if any(_is_alive(way(_reachable(host.strip("[]")), int(port))) for way in ways) else 1


def _plain(host: str, port: int) -> HTTPConnection:
    return HTTPConnection(host, port, timeout=_SECONDS)


def _secure(host: str, port: int) -> HTTPSConnection:
    import ssl  # noqa: PLC0415  most health checks need none

    # Loopback only, nothing secret is sent and nothing of the response used: the certificate's name and expiry are
    # for clients to check.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(host, port, timeout=_SECONDS, context=context)


def _is_alive(connection: HTTPConnection) -> bool:
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """The address to connect to: loopback for a server on every interface."""
    try:
        every = not host or ip_address(host).is_unspecified
    except ValueError:
        return host
    return "127.0.0.1" if every else host


if __name__ == "__main__":
    sys.exit(main(os.environ))
