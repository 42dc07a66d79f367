"""Object stores to test against: real servers on this machine, one for each process of the tests."""

import atexit
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import obstore

from registry.config.storage import StorageSettings
from registry.oci.digest import Digest
from registry.storage.objects.address import parse_store_url
from registry.storage.objects.connecting import connect, open_object_store
from registry.storage.objects.locations import folder_of, live, read_listing
from registry.storage.objects.store import ObjectStore
from tests.ports import free_port

BUCKET = "basegate"
_START_SECONDS = 120
"""A machine under load takes some of them."""


@dataclass(frozen=True, slots=True)
class ObjectServer:
    """A server with an empty bucket.

    Attributes:
        scheme: s3, az or gs.
        endpoint: its URL.
        credentials: as they stand in the environment.
    """

    scheme: str
    endpoint: str
    credentials: dict[str, str] = field(default_factory=dict)

    def settings(self, folder: Path, prefix: str = "", **changed: Any) -> dict[str, Any]:
        """The group `storage` of the settings, for a place of its own; writes a file with the credentials."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "store.env"
        file.write_text("".join(f"{name}={value}\n" for name, value in self.credentials.items()))
        url = f"{self.scheme}://{BUCKET}/{prefix or uuid.uuid4()}"
        return {"url": url, "endpoint": self.endpoint, "credentials": file, **changed}


def started(command: list[str], url: str, **environment: str) -> None:
    """A server that answers, whatever it says; it ends with this process, also where that is killed."""
    quiet = subprocess.DEVNULL
    dying = [setpriv, "--pdeathsig", "KILL", "--"] if (setpriv := shutil.which("setpriv")) else []
    process = subprocess.Popen([*dying, *command], stdout=quiet, stderr=quiet, env=environment or None)
    atexit.register(process.wait)
    atexit.register(process.kill)
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            assert process.poll() is None, f"{command[0]} has ended"
            time.sleep(0.1)
        else:
            return
    process.kill()  # the next test that needs it starts another
    raise AssertionError(f"{command[0]} does not answer on {url}")


@cache
def moto() -> ObjectServer:
    """moto's S3, whose content is in its memory."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    started([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], url)
    httpx.put(f"{url}/{BUCKET}").raise_for_status()
    return ObjectServer("s3", url, {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"})


def make_store(server: Callable[[], ObjectServer], folder: Path, pool: ThreadPoolExecutor) -> ObjectStore:
    """An empty store over a server."""
    settings = StorageSettings.model_validate(server().settings(folder.parent / f"{folder.name}-settings"))
    return open_object_store(folder, settings, pool)


def spoil_object(store: ObjectStore, _folder: Path, digest: Digest, content: bytes) -> None:
    """Put other bytes in the place of an object."""
    bucket = store._bucket  # noqa: SLF001  behind its back
    bucket.put(live(read_listing(bucket.listed(folder_of(digest))))[-1].key, content)


def names_in(settings: StorageSettings) -> list[str]:
    """The names of all objects below the prefix."""
    store = connect(parse_store_url(settings.url), settings)
    return [each["path"] for each in obstore.list(store).collect()]
