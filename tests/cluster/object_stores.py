"""The object stores that `make test-cluster` builds, each started over a folder that ends with the tests."""

import base64
import hashlib
import hmac
import os
import tempfile
from email.utils import formatdate
from functools import cache, partial
from pathlib import Path

import httpx

from tests.ports import free_port
from tests.registry.storage.object_servers import BUCKET, ObjectServer, make_store, spoil_object, started
from tests.registry.storage.stores import Kind

_HOME = Path(__file__).parents[2] / ".tools" / "object-stores"
_KEY, _SECRET = "lab", "a secret of the lab"


def _folder() -> str:
    return tempfile.mkdtemp(prefix="object-store-")


@cache
def versitygw() -> ObjectServer:
    """S3 on a folder, which checks signatures."""
    port, folder = free_port(), _folder()
    Path(folder, BUCKET).mkdir()
    command = [str(_HOME / "versitygw"), "--port", f"127.0.0.1:{port}", "posix", "--sidecar", _folder(), folder]
    url = f"http://127.0.0.1:{port}"
    started(command, url, ROOT_ACCESS_KEY=_KEY, ROOT_SECRET_KEY=_SECRET)
    return ObjectServer("s3", url, {"AWS_ACCESS_KEY_ID": _KEY, "AWS_SECRET_ACCESS_KEY": _SECRET})


@cache
def azurite() -> ObjectServer:
    """Azure Blob Storage on a folder, with the account that Microsoft's documentation names."""
    port, folder = free_port(), _folder()
    options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", folder]
    command = ["node", str(_HOME / "node_modules/azurite/dist/src/blob/main.js"), "--blobHost", "127.0.0.1"]
    account, secret = "lab", "c2VjcmV0LW9mLXRoZS1sYWI="
    environment = {"AZURITE_ACCOUNTS": f"{account}:{secret}", "PATH": os.environ["PATH"]}
    started([*command, "--blobPort", str(port), *options], f"http://127.0.0.1:{port}", **environment)
    url = f"http://127.0.0.1:{port}/{account}"
    _make_container(url, account, secret)
    return ObjectServer("az", url, {"AZURE_STORAGE_ACCOUNT_NAME": account, "AZURE_STORAGE_ACCOUNT_KEY": secret})


def _make_container(url: str, account: str, secret: str) -> None:
    """One request with a shared key ("Authorize with Shared Key"): obstore makes no containers."""
    fields = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    lines = "".join(f"{name}:{value}\n" for name, value in fields.items())
    text = "PUT" + "\n" * 12 + lines + f"/{account}/{account}/{BUCKET}\nrestype:container"
    signed = hmac.new(base64.b64decode(secret), text.encode(), hashlib.sha256).digest()
    fields["Authorization"] = f"SharedKey {account}:{base64.b64encode(signed).decode()}"
    httpx.put(f"{url}/{BUCKET}?restype=container", headers=fields).raise_for_status()


KINDS = (
    Kind("versitygw", partial(make_store, versitygw), spoil_object),
    Kind("azurite", partial(make_store, azurite), spoil_object),
)
SERVERS = {"versitygw": versitygw, "azurite": azurite}
