"""Calls of azure-containerregistry, made in that SDK's own environment: JSON in, JSON out.

In: `{"url", "ca", "token", "calls": [[method, [argument, …], {name: argument}], …]}`; a `null` token is nobody's.
Out: for each call `{"result": …}` or `{"error": CLASS, "status": …, "message": …}`.
"""

import base64
import io
import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from azure.containerregistry import ArtifactManifestOrder, ArtifactTagOrder, ContainerRegistryClient
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError

ORDERS = {"newest tags": ArtifactTagOrder.LAST_UPDATED_ON_DESCENDING}
ORDERS |= {"newest manifests": ArtifactManifestOrder.LAST_UPDATED_ON_DESCENDING}


class Token:
    """Stands in for a TokenCredential of azure-identity."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """The token, whatever it is asked for."""
        return AccessToken(self._text, int(time.time()) + 3600)


def plain(value: Any) -> Any:
    """A result as JSON: lists for pages, members for objects, base64 for bytes."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes) or hasattr(value, "isoformat"):
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value.isoformat()
    if hasattr(value, "by_page") or isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "__next__"):
        return plain(b"".join(value))
    return {name: plain(getattr(value, name)) for name in dir(value) if not name.startswith("_")}


def call(client: ContainerRegistryClient, method: str, arguments: list[Any], named: dict[str, Any]) -> dict[str, Any]:
    """One call; bytes come as `{"bytes": base64}`, orders by their names here."""

    def given(value: Any) -> Any:
        if isinstance(value, dict) and value.keys() == {"bytes"}:
            return io.BytesIO(base64.b64decode(value["bytes"]))
        return ORDERS.get(value, value) if isinstance(value, str) else value

    try:
        made = getattr(client, method)(*map(given, arguments), **{name: given(each) for name, each in named.items()})
        return {"result": plain(made)}
    except AzureError as error:
        return {"error": type(error).__name__, "status": getattr(error, "status_code", None), "message": str(error)}


def main() -> None:
    """Make the calls."""
    asked = json.load(sys.stdin)
    credential = None if asked["token"] is None else Token(asked["token"])
    audience = {} if credential is None else {"audience": "https://containerregistry.azure.net"}
    with ContainerRegistryClient(asked["url"], credential, connection_verify=asked["ca"], **audience) as client:
        json.dump([call(client, *each) for each in asked["calls"]], sys.stdout)


if __name__ == "__main__":
    main()
