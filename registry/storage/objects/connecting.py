"""From settings to a store that answers, or to the one line that says which setting is wrong."""

import json
import os
from collections.abc import Mapping
from concurrent.futures import Executor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import BaseError, UnknownConfigurationKeyError
from obstore.store import AzureStore, GCSStore, S3Store

from registry.config.storage import StorageSettings
from registry.storage.disk.layout import MARK, OBJECTS, Layout
from registry.storage.objects.address import StoreAddress, StoreUnusable, parse_store_url
from registry.storage.objects.bucket import Bucket, first_line
from registry.storage.objects.refused_start import refused_start
from registry.storage.objects.store import ObjectStore

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

    from registry.storage.objects.bucket import Connected

_MARK = "basegate.json"
_MARKED = json.dumps({"format": "basegate objects 1"}).encode()
_OWN = {"s3": "AWS_", "az": "AZURE_", "gs": "GOOGLE_"}
_CONNECT_SECONDS = 5
_RETRIES = 2


def open_object_store(data: Path, settings: StorageSettings, pool: Executor) -> ObjectStore:
    """The blobs that `storage.url` names (blocking).

    Args:
        data: the folder for uploads in progress and notes.
        settings: where the store is, and how it is asked.
        pool: where blocking work runs.

    Raises:
        StoreUnusable: the URL, the bucket or the key is wrong, or the store does not answer.
        LayoutUnknown: the folder belongs to blobs elsewhere.
    """
    address = parse_store_url(settings.url)
    store = connect(address, settings)
    require_usable(address, store, settings.endpoint)
    layout = Layout(data)
    if _is_unused(layout):
        (data / "layout").unlink()
    layout.prepare(OBJECTS + f"{address}\n".encode())
    outside = settings.model_copy(update={"endpoint": settings.redirect_endpoint or settings.endpoint})
    bucket = Bucket(store, settings.part_bytes, connect(address, outside))
    return ObjectStore(data, layout, bucket, pool, sync_bytes=settings.sync_bytes)


def _is_unused(layout: Layout) -> bool:
    """Whether a folder was made for files, as by `basegate init`, and has none yet."""
    mark = layout.root / "layout"
    return mark.is_file() and mark.read_bytes() == MARK and not any(layout.blobs.glob("*/*/*"))


def connect(address: StoreAddress, settings: StorageSettings) -> "Connected":
    """A client of a store; nothing is asked of it yet. Raises StoreUnusable."""
    config = _configuration(address.scheme, settings)
    client: ClientConfig = {
        "allow_http": settings.endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
        "read_timeout": timedelta(seconds=settings.timeout_seconds),
        "timeout": timedelta(days=1),  # of a whole answer: a large blob takes as long as whoever pulls it
        "user_agent": "basegate",
    }
    retry: RetryConfig = {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=settings.timeout_seconds)}
    prefix = address.prefix or None
    try:
        if address.scheme == "s3":
            return S3Store(address.bucket, prefix=prefix, config=config, client_options=client, retry_config=retry)
        if address.scheme == "az":
            return AzureStore(address.bucket, prefix=prefix, config=config, client_options=client, retry_config=retry)
        return GCSStore(address.bucket, prefix=prefix, config=config, client_options=client, retry_config=retry)
    except UnknownConfigurationKeyError as error:
        raise StoreUnusable(f"the credentials of {address} name something unknown: {first_line(error)}") from None
    except BaseError as error:
        raise StoreUnusable(f"{address} cannot be used with its credentials: {first_line(error)}") from None


def _configuration(scheme: str, settings: StorageSettings) -> Any:
    """What obstore is told; what is not, it looks for in the environment by itself."""
    config: dict[str, Any] = {}
    if settings.credentials is not None:
        config |= _read_credentials(settings.credentials, _OWN[scheme])
    if settings.endpoint:
        config["base_url" if scheme == "gs" else "endpoint"] = settings.endpoint.rstrip("/")
    named = {*config, *(name.lower() for name in os.environ)}
    if scheme == "s3" and not named & {"aws_region", "aws_default_region"}:
        config["aws_region"] = settings.region
    return config


def _read_credentials(path: Path, prefix: str) -> Mapping[str, str]:
    """Lines of NAME=VALUE, with the names that the environment has; blank lines and comments are skipped."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise StoreUnusable(f"storage.credentials is {path}, which cannot be read: {reason}") from None
    found = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().startswith(prefix):
            raise StoreUnusable(f"line {number} of {path} is no credential: needs {prefix}NAME=VALUE")
        found[name.strip().lower()] = value.strip()
    return found


def require_usable(address: StoreAddress, store: "Connected", endpoint: str) -> None:
    """Read the mark of the prefix, and write it where there is none: that needs all that a push needs."""
    try:
        try:
            found = bytes(obstore.get(store, _MARK).bytes())
        except FileNotFoundError:
            obstore.put(store, _MARK, _MARKED, use_multipart=False)
            found = _MARKED
    except (BaseError, FileNotFoundError) as error:
        raise refused_start(address, endpoint, error) from None
    if found != _MARKED:
        raise StoreUnusable(f"{address} holds a {_MARK} of another format: use the basegate that wrote it")
