"""A browser without a screen, for `BROWSER`: fills the form at an address in, and lets the next page send itself on.

Arguments: the endpoint, a principal's name, its secret, the address.
"""

import re
import ssl
import sys
import urllib.parse
import urllib.request
from html import unescape
from pathlib import Path

_INPUT = re.compile(r"<input([^>]*)>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_ACTION = re.compile(r'action="([^"]*)"')


def fields_of(page: str) -> dict[str, str]:
    """Names and values of all inputs."""
    inputs = [dict(_ATTRIBUTE.findall(each)) for each in _INPUT.findall(page)]
    return {each["name"]: unescape(each.get("value", "")) for each in inputs}


def opened(address: str, form: dict[str, str] | None = None) -> str:
    """The page at an address, with a form posted to it."""
    data = None if form is None else urllib.parse.urlencode(form).encode()
    context = ssl.create_default_context() if address.startswith("https") else None
    with urllib.request.urlopen(address, data=data, context=context, timeout=30) as answer:  # noqa: S310 - http only
        return str(answer.read().decode())


def main(endpoint: str, username: str, password: str, address: str) -> None:
    """Sign in, and go where the next page goes."""
    if not address.startswith(endpoint):
        raise SystemExit(f"{address} is not at {endpoint}")
    page = opened(address, fields_of(opened(address)) | {"username": username, "password": password})
    action = _ACTION.search(page)
    if action is None:
        raise SystemExit(f"nothing is sent on: {page}")
    opened(unescape(action[1]), fields_of(page))


if __name__ == "__main__" and Path(sys.argv[0]).name == "as_browser.py":
    main(*sys.argv[1:])
