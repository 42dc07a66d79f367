"""Whose blobs a prefix of an object store has: `registry.json` names the registry that has moved there."""

import obstore

from registry.config.storage import StorageSettings
from registry.storage.objects.address import StoreUnusable, parse_store_url
from registry.storage.objects.bucket import refusals
from registry.storage.objects.connecting import connect, require_usable
from registry.storage.objects.locations import ROOT
from registry.storage.objects.named_owner import NAME, content, parsed


def take_prefix(settings: StorageSettings, store: str) -> None:
    """Make the prefix of `storage.url` that of a registry (blocking).

    Args:
        settings: where it is.
        store: id of the registry's store.

    Raises:
        StoreUnusable: it has blobs, or is named for another registry; or it cannot be used.
        Unavailable: the store is away.
    """
    address = parse_store_url(settings.url)
    client = connect(address, settings)
    require_usable(address, client, settings.endpoint)
    with refusals():
        try:
            owner = parsed(bytes(obstore.get(client, NAME).bytes()))
        except FileNotFoundError:
            owner = "of another registry" if any(obstore.list(client, ROOT, chunk_size=1)) else ""
        if owner not in {"", store}:
            raise StoreUnusable(
                f"{address} has the blobs of another registry: name another prefix, or another bucket, that is empty"
            )
        obstore.put(client, NAME, content(store), use_multipart=False)
