"""Opens the object store of the settings, where they name one. Nothing of it is imported before."""

from concurrent.futures import Executor

from registry.config.settings import RegistrySettings
from registry.storage.blob_store import MaintainedStore
from registry.storage.objects.address import StoreUnusable, parse_store_url


def open_object_store(settings: RegistrySettings, pool: Executor) -> MaintainedStore:
    """The store that `storage.url` names; blocking work runs in the pool.

    Raises:
        StoreUnusable: the URL, the bucket or the key is wrong, or obstore is not installed.
        LayoutUnknown: the data folder belongs to blobs elsewhere.
    """
    parse_store_url(settings.storage.url)
    try:
        from registry.storage.objects import connecting  # noqa: PLC0415 - not a part of every installation
    except ModuleNotFoundError as error:
        if error.name != "obstore":
            raise
        raise StoreUnusable(
            f"storage.url is {settings.storage.url!r} and obstore is not installed: pip install 'basegate[cluster]'"
        ) from None
    return connecting.open_object_store(settings.data, settings.storage, pool)
