"""The object `registry.json` at a prefix: it names the registry whose blobs are there."""

import json

from registry.storage.objects.bucket import Bucket, lied

NAME = "registry.json"


class NamedOwner:
    """See `registry.storage.owner.PrefixOwner`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def store(self) -> str:
        """One request."""
        try:
            return parsed(self._bucket.get(NAME))
        except FileNotFoundError:
            return ""

    def name(self, store: str) -> None:
        """One request."""
        self._bucket.put(NAME, content(store))


def parsed(raw: bytes) -> str:
    """The id in the object. Raises Unavailable when it holds something else."""
    try:
        return str(json.loads(raw)["store"])
    except (ValueError, KeyError, TypeError):
        raise lied(f"{NAME} does not name a registry") from None


def content(store: str) -> bytes:
    """What the object holds for a store."""
    return json.dumps({"store": store}).encode()
