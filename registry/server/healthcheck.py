"""Asks the server of this container whether it is alive: `python -m registry.server.healthcheck`, exit code 0.

Imports nothing of the server: a health check runs every few seconds, and costs as little as it can.
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
        variables: `BASEGATE_LISTEN` says where it listens; it is asked over TLS first where `BASEGATE_TLS_CERT` is set,
            and then in the other way, because a settings file may say so too.
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

    # Nothing is told to the other side and nothing of its answer used, and it is this machine: whose certificate it is,
    # and until when it is good, is for its clients to see.
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
    """Every interface is reached by loopback."""
    try:
        every = not host or ip_address(host).is_unspecified
    except ValueError:
        return host
    return "127.0.0.1" if every else host


if __name__ == "__main__":
    sys.exit(main(os.environ))
